"""`.lrn` on the items table."""

from __future__ import annotations

from lrnanalysis.accessor.table import TableAccessor, on_table
from lrnanalysis.measures import scores, timing

__all__ = ["ItemsAccessor"]


class ItemsAccessor(TableAccessor, table="items"):
    """`.lrn` on the items table: one row per item of a session."""

    active_time = on_table(
        timing.active_time,
        '>>> study.items.lrn.active_time("item_reference", unit="h").round(1).head(2).to_dict()',
        "{'item-01': 4.1, 'item-02': 7.0}",
    )
    time_summary = on_table(
        timing.time_summary,
        '>>> study.items.lrn.time_summary()[["n", "median"]].loc["item-01"].to_list()',
        "[324.0, 41.0]",
    )
    time_matrix = on_table(
        timing.time_matrix, ">>> study.items.lrn.time_matrix().shape", "(324, 20)"
    )
    time_by_position = on_table(
        timing.time_by_position, ">>> study.items.lrn.time_by_position().shape", "(20, 13)"
    )
    pacing = on_table(timing.pacing, '>>> study.items.lrn.pacing(unit="min").shape', "(20, 4)")
    outliers = on_table(timing.outliers, '>>> int(study.items.lrn.outliers("sd").sum())', "118")
    suspicious_times = on_table(
        timing.suspicious_times,
        ">>> list(study.items.lrn.suspicious_times().columns)",
        "['time', 'n', 'reason']",
    )
    score_percent = on_table(
        scores.score_percent,
        ">>> float(study.items.lrn.score_percent().mean().round(1))",
        "56.9",
    )
