"""Time on task: how long, how evenly, how far.

`clocks`: a session's active, elapsed and idle time. `items`: sums, statistics and matrices of
the items' times. `faults`: times that are no measurements. `outlying`: times far from the rest.
`reaching`: answered, omitted and not reached. `pace`: the way through the test.
"""

from lrnanalysis.measures.time.clocks import (
    active_share,
    elapsed_time,
    idle_time,
    session_active_time,
)
from lrnanalysis.measures.time.faults import suspicious_times
from lrnanalysis.measures.time.items import active_time, time_matrix, time_summary
from lrnanalysis.measures.time.outlying import OutlierRule, outliers
from lrnanalysis.measures.time.pace import pacing, time_by_position
from lrnanalysis.measures.time.reaching import (
    ReachRule,
    answered,
    not_reached,
    omitted,
    reach,
    speededness,
)

__all__ = [
    "OutlierRule",
    "ReachRule",
    "active_share",
    "active_time",
    "answered",
    "elapsed_time",
    "idle_time",
    "not_reached",
    "omitted",
    "outliers",
    "pacing",
    "reach",
    "session_active_time",
    "speededness",
    "suspicious_times",
    "time_by_position",
    "time_matrix",
    "time_summary",
]
