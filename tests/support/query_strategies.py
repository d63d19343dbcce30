"""Queries of every kind, for property tests."""

import string
from datetime import datetime

from hypothesis import strategies as st

from lrnanalysis import Query
from lrnanalysis.tables.schema import STATUSES

#: Ids as they are met, and as no one expects them.
IDS = st.text(
    st.sampled_from(string.ascii_letters + string.digits + " ,;\"'\\-_/\n\t\xa0é漢"), min_size=1
).filter(str.strip)


TIMES = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1))


@st.composite
def queries(draw):
    filters = {}
    for name in ("activity_id", "user_id", "session_id", "include"):
        filters[name] = draw(st.lists(IDS, max_size=30)) or None
    filters["status"] = draw(st.lists(st.sampled_from(STATUSES), max_size=4)) or None
    for name in ("time", "time_started", "time_completed"):
        ends = sorted([draw(TIMES), draw(TIMES)])
        filters[f"min{name}"] = draw(st.sampled_from([None, ends[0]]))
        filters[f"max{name}"] = draw(st.sampled_from([None, ends[1]]))
    filters["sort"] = draw(st.sampled_from([None, "desc"]))
    filters["limit"] = draw(st.none() | st.integers(1, 50))
    filters["next"] = draw(st.none() | st.text(string.ascii_letters, min_size=1))
    return Query(**filters)
