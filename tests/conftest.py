"""What several tests share."""

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Pictures are drawn without a screen; set before matplotlib is loaded.
os.environ["MPLBACKEND"] = "Agg"

# The same examples at every run of CI, so that a failure is one of the change under test; at a desk
# each run looks elsewhere.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def documented() -> dict:
    """The session of the endpoint's documentation, its brackets repaired."""
    return json.loads((FIXTURES / "documented_example.json").read_text())["data"][0]


@pytest.fixture(scope="session")
def shapes() -> dict[str, dict]:
    """Sessions in every shape that is known: what is odd about each → its record."""
    return json.loads((FIXTURES / "shapes.json").read_text())


@pytest.fixture(autouse=True)
def close_pictures():
    """Leave no figure open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
