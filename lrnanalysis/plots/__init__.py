"""Pictures of sessions, items and their times, and of psychometric models.

Every function draws data that are ready: it selects nothing. It takes `ax` and returns it; without
`ax` it makes a figure of notebook size. A caption below the title states n and the rule, to which
`add_footnote` adds. matplotlib is imported at the first picture.
"""

from lrnanalysis.plots._style import add_footnote
from lrnanalysis.plots.ability_scale import person_fit, wright_map
from lrnanalysis.plots.dif_effects import dif, dif_curves
from lrnanalysis.plots.guttman_order import guttman
from lrnanalysis.plots.item_curves import characteristic_curves, information
from lrnanalysis.plots.item_quality import difficulty_discrimination, distractors
from lrnanalysis.plots.linking_equating import equating, linking
from lrnanalysis.plots.lognormal_residuals import residuals
from lrnanalysis.plots.pacing_reach import pacing, reach
from lrnanalysis.plots.residual_correlations import local_dependence
from lrnanalysis.plots.response_effort import effort
from lrnanalysis.plots.session_views import attempts, score_against_time, timeline
from lrnanalysis.plots.time_on_task import accuracy_by_time, time_against_difficulty, times
from lrnanalysis.plots.truth_recovery import recovery

__all__ = [
    "accuracy_by_time",
    "add_footnote",
    "attempts",
    "characteristic_curves",
    "dif",
    "dif_curves",
    "difficulty_discrimination",
    "distractors",
    "effort",
    "equating",
    "guttman",
    "information",
    "linking",
    "local_dependence",
    "pacing",
    "person_fit",
    "reach",
    "recovery",
    "residuals",
    "score_against_time",
    "time_against_difficulty",
    "timeline",
    "times",
    "wright_map",
]
