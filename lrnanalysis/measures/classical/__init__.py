"""Classical item analysis: item statistics, reliability, distractors, flags.

`items`: difficulty and discrimination of every item. `reliability`: alpha and its kin. `csem`:
standard error by score. `distractors`: shares and trace lines of options. `flags`: rules that
point at items.
"""

from lrnanalysis.measures.classical.csem import conditional_sem
from lrnanalysis.measures.classical.distractors import distractors, trace_lines
from lrnanalysis.measures.classical.flags import RULES, Rule, flags
from lrnanalysis.measures.classical.items import item_statistics
from lrnanalysis.measures.classical.reliability import alpha_if_deleted, reliability

__all__ = [
    "RULES",
    "Rule",
    "alpha_if_deleted",
    "conditional_sem",
    "distractors",
    "flags",
    "item_statistics",
    "reliability",
    "trace_lines",
]
