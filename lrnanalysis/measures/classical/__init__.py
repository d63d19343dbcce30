"""Classical item analysis: item statistics, reliability, distractors, flags.

`items`: difficulty and discrimination of every item. `reliability`: alpha and related
coefficients. `stratified`: reliability over items of several kinds. `csem`: standard error by
score. `distractors`: shares and trace lines of options. `flags`: rules that point out items to
review.
"""

from lrnanalysis.measures.classical._choices import Key
from lrnanalysis.measures.classical._item_scores import MaxScore
from lrnanalysis.measures.classical.csem import conditional_sem
from lrnanalysis.measures.classical.distractors import distractors, trace_lines
from lrnanalysis.measures.classical.flags import RULES, FlagRule, flags
from lrnanalysis.measures.classical.items import item_statistics
from lrnanalysis.measures.classical.reliability import alpha_if_deleted, reliability
from lrnanalysis.measures.classical.stratified import stratified_alpha

__all__ = [
    "RULES",
    "FlagRule",
    "Key",
    "MaxScore",
    "alpha_if_deleted",
    "conditional_sem",
    "distractors",
    "flags",
    "item_statistics",
    "reliability",
    "stratified_alpha",
    "trace_lines",
]
