"""Classical item analysis: item statistics, reliability, distractors, flags.

`items`: difficulty and discrimination of every item. `reliability`: alpha and its kin. `csem`:
standard error by score. `distractors`: shares and trace lines of options. `flags`: rules that
point at items. `item_analysis`: all of it in one call, times and effort included.
"""

from lrnanalysis.measures.classical.csem import conditional_sem
from lrnanalysis.measures.classical.distractors import distractors, trace_lines
from lrnanalysis.measures.classical.flags import RULES, Rule, flags
from lrnanalysis.measures.classical.items import item_statistics
from lrnanalysis.measures.classical.reliability import alpha_if_deleted, reliability
from lrnanalysis.measures.item_analysis import ItemAnalysis, item_analysis

__all__ = [
    "RULES",
    "ItemAnalysis",
    "Rule",
    "alpha_if_deleted",
    "conditional_sem",
    "distractors",
    "flags",
    "item_analysis",
    "item_statistics",
    "reliability",
    "trace_lines",
]
