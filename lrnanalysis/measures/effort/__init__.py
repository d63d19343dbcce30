"""Rapid guessing and effort.

`cutoffs`: time thresholds by rule, with `rules` for those that search the data. `screening`:
rapid guesses, response time effort and fidelity. `moderation`: whether the flags mean guessing, and
scores and samples without them. `answers`: the timed answers behind all of it.
"""

from lrnanalysis.measures.effort.effort_moderated import (
    effort_moderated,
    motivated,
    motivation_filter,
    validity,
)
from lrnanalysis.measures.effort.rapid_guessing import (
    EffortScreen,
    rapid_guesses,
    response_time_effort,
    response_time_fidelity,
    screen,
)
from lrnanalysis.measures.effort.thresholds import Chance, Method, thresholds

__all__ = [
    "Chance",
    "EffortScreen",
    "Method",
    "effort_moderated",
    "motivated",
    "motivation_filter",
    "rapid_guesses",
    "response_time_effort",
    "response_time_fidelity",
    "screen",
    "thresholds",
    "validity",
]
