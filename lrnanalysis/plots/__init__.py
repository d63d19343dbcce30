"""Pictures of sessions, items and their times.

Every function takes `ax` and returns it; without, it makes a figure of notebook size. n and the
rule stand below the title. matplotlib is imported at the first picture.
"""

from lrnanalysis.plots.item_times import accuracy_by_time, time_against_difficulty, times
from lrnanalysis.plots.matrix import guttman
from lrnanalysis.plots.progress import pacing, reach
from lrnanalysis.plots.response_effort import effort
from lrnanalysis.plots.sessions import attempts, score_against_time, timeline
from lrnanalysis.plots.speed import residuals

__all__ = [
    "accuracy_by_time",
    "attempts",
    "effort",
    "guttman",
    "pacing",
    "reach",
    "residuals",
    "score_against_time",
    "time_against_difficulty",
    "timeline",
    "times",
]
