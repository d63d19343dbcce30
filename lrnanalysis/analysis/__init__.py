"""An analysis: a study plus decisions.

`decisions`: every decision, checked. `selection`: which sessions count. `matrices`: persons ×
items. `groups`: columns by name. `words`: the rules as a table, a caption and a paragraph.
`analysis`: `Analysis`, which forwards to the measures. `pictures`: `Analysis.plot`.
"""

from lrnanalysis.analysis.analysis import Analysis
from lrnanalysis.analysis.decisions import (
    CellValue,
    Decisions,
    ItemIdentity,
    Level,
    ScoreSource,
    Unit,
)
from lrnanalysis.analysis.pictures import AnalysisPlots

__all__ = [
    "Analysis",
    "AnalysisPlots",
    "CellValue",
    "Decisions",
    "ItemIdentity",
    "Level",
    "ScoreSource",
    "Unit",
]
