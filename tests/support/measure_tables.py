"""Small tables in the schema's dtypes, and random ones, for the tests of the measures."""

import doctest
import functools
import importlib
import pkgutil
import zlib

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from lrnanalysis.parse.table_builder import TableBuilder
from lrnanalysis.simulation import simulate
from lrnanalysis.tables.schema import ITEMS, RESPONSES, SESSIONS, empty_frame

EMPTY = {table.name: empty_frame(table) for table in (SESSIONS, RESPONSES, ITEMS)}


def typed(table, columns):
    """A frame of some columns in the table's dtypes."""
    frame = pd.DataFrame(columns)
    return frame.astype({name: table[name].dtype for name in frame.columns})


def items_frame(*rows, **more):
    """An items table of rows (session, item, position, time, score, max_score)."""
    names = ["session_id", "item_reference", "position", "time", "score", "max_score"]
    return typed(ITEMS, {**pd.DataFrame(rows, columns=names), **more})


def one_session(times, scores, max_score=1.0, session="s"):
    """One session whose items are a, b, c, … in this order."""
    rows = [
        (session, chr(97 + at), at + 1, time, score, max_score)
        for at, (time, score) in enumerate(zip(times, scores, strict=True))
    ]
    return items_frame(*rows)


def three_sessions():
    """Of four items s answers four, t three, u one."""
    return pd.concat(
        [
            one_session([5.0] * done + [0.0] * (4 - done), [1] * done + [0] * (4 - done),
                        session=name)
            for name, done in (("s", 4), ("t", 3), ("u", 1))
        ],
        ignore_index=True,
    )  # fmt: skip


def responses_frame(*rows, **more):
    """A responses table of rows (session, item, attempted, score, automarkable)."""
    names = ["session_id", "item_reference", "attempted", "score", "automarkable"]
    frame = pd.DataFrame(rows, columns=names)
    ids = [f"r{at}" for at in range(len(frame))]
    return typed(RESPONSES, {"response_id": ids, **frame, **more})


def sessions_frame(**columns):
    """A sessions table of the columns given."""
    times = {
        name: pd.to_datetime(columns.pop(name), utc=True)
        for name in [*columns]
        if name.startswith("dt_")
    }
    return typed(SESSIONS, {**columns, **times})


@st.composite
def studies(draw, most_sessions=6, most_items=6, complete=False):
    """Items and responses tables: sessions with random answers, times and gaps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, k = draw(st.integers(1, most_sessions)), draw(st.integers(1, most_items))
    rows, responses = [], []
    for session in range(n):
        length = k if complete else int(rng.integers(1, k + 1))
        for position, item in enumerate(rng.permutation(k)[:length], 1):
            done = rng.random() < 0.7
            time = rng.choice([float(rng.integers(1, 90)), 0.0, np.nan], p=[0.8, 0.1, 0.1])
            score = float(rng.integers(0, 3)) if done else 0.0
            if rng.random() < 0.1:
                score = np.nan
            rows.append((f"s{session}", f"i{item}", position, time, score, 2.0))
            if rng.random() < 0.9:
                responses.append((f"s{session}", f"i{item}", done, score, rng.random() < 0.8))
    return items_frame(*rows), responses_frame(*responses)


def shuffled(frame, seed=0):
    """The frame's rows in another order, with their index."""
    return frame.sample(frac=1, random_state=seed)


def textual(frame):
    """The frame as it is after a concat of different categories: labels as text."""
    labels = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(labels, "str"))


def run_doctests(*names):
    """Run the docstrings' examples of modules and packages; returns how many ran."""
    attempted = 0
    for name in names:
        package = importlib.import_module(name)
        parts = pkgutil.iter_modules(getattr(package, "__path__", []))
        found = [importlib.import_module(f"{name}.{part.name}") for part in parts]
        for module in [package, *found]:
            result = doctest.testmod(module)
            assert result.failed == 0, module.__name__
            attempted += result.attempted
    return attempted


@functools.cache
def simulated(**arguments):
    """A simulated study: its tables, and the simulation with the truth."""
    simulation = simulate(**arguments)
    builder = TableBuilder()
    for page in simulation.pages():
        builder.add(page)
    return builder.finish(), simulation


def relabelled(frame):
    """The frame with other session ids, as pseudonyms are, in the same rows."""
    ids = frame["session_id"].map(lambda name: f"p{zlib.crc32(name.encode()):08x}")
    return frame.assign(session_id=ids)
