"""Time on task: how long and how evenly.

`session_times`: a session's active, elapsed and idle time. `item_times`: sums, statistics and
matrices of the items' times. `suspicious`: times that are probably not measurements. `outliers`:
times far from the rest. `pacing`: the course of time through the test.
"""

from lrnanalysis.measures.timing.item_times import active_time, time_matrix, time_summary
from lrnanalysis.measures.timing.outliers import OutlierRule, outliers
from lrnanalysis.measures.timing.pacing import pacing, time_by_position
from lrnanalysis.measures.timing.session_times import (
    active_share,
    elapsed_time,
    idle_time,
    session_active_time,
)
from lrnanalysis.measures.timing.suspicious import suspicious_times

__all__ = [
    "OutlierRule",
    "active_share",
    "active_time",
    "elapsed_time",
    "idle_time",
    "outliers",
    "pacing",
    "session_active_time",
    "suspicious_times",
    "time_by_position",
    "time_matrix",
    "time_summary",
]
