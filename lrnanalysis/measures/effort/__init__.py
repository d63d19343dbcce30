"""Rapid guessing and effort, from persons × items matrices of answered times.

`thresholds`: time thresholds; `threshold_estimators`: their rules. `rapid_guessing`: rapid
guesses, response time effort and fidelity. `effort_moderated`: whether the flags mean guessing,
and scores and samples without them.
"""

from lrnanalysis.measures.effort.effort_moderated import (
    effort_moderated,
    motivation_mask,
    validity,
)
from lrnanalysis.measures.effort.rapid_guessing import (
    EffortScreen,
    rapid_guesses,
    response_time_effort,
    response_time_fidelity,
    screen,
)
from lrnanalysis.measures.effort.threshold_estimators import RULES, find_rule
from lrnanalysis.measures.effort.thresholds import Chance, Method, check_method, thresholds

__all__ = [
    "RULES",
    "Chance",
    "EffortScreen",
    "Method",
    "check_method",
    "effort_moderated",
    "find_rule",
    "motivation_mask",
    "rapid_guesses",
    "response_time_effort",
    "response_time_fidelity",
    "screen",
    "thresholds",
    "validity",
]
