"""What several tests share."""

import json
from pathlib import Path

import pytest

from lrnanalysis.parse import TableBuilder, Tables

FIXTURES = Path(__file__).parent / "fixtures"


def page_of(*sessions, **dumps) -> bytes:
    """A page as the endpoint sends it."""
    return json.dumps({"meta": {"status": True}, "data": list(sessions)}, **dumps).encode()


def tables_of(*sessions) -> Tables:
    """The three tables of some records."""
    builder = TableBuilder()
    builder.add(page_of(*sessions))
    return builder.finish()


@pytest.fixture(scope="session")
def documented() -> dict:
    """The session of the endpoint's documentation, its brackets repaired."""
    return json.loads((FIXTURES / "documented_example.json").read_text())["data"][0]


@pytest.fixture(scope="session")
def shapes() -> dict[str, dict]:
    """Sessions in every shape that is known: what is odd about each → its record."""
    return json.loads((FIXTURES / "shapes.json").read_text())
