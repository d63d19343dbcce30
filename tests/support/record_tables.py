"""Records into pages and tables, for several tests."""

import json

from lrnanalysis.parse.table_builder import TableBuilder, Tables


def page_of(*sessions, **dumps) -> bytes:
    """A page as the endpoint sends it."""
    return json.dumps({"meta": {"status": True}, "data": list(sessions)}, **dumps).encode()


def tables_of(*sessions) -> Tables:
    """The three tables of some records."""
    builder = TableBuilder()
    builder.add(page_of(*sessions))
    return builder.finish()
