"""Simulated sessions and the truth behind them: `Simulation`.

Everything here is simulated: no learner, no answer, no item is real.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.sandbox import truth as tables
from lrnanalysis.sandbox.records import FormPrinter, Heads
from lrnanalysis.sandbox.settings import whole
from lrnanalysis.sandbox.world import World

__all__ = ["Simulation"]

IntArray = npt.NDArray[np.int64]

#: Records printed at a time.
_BLOCK = 512


class Simulation:
    """Simulated sessions, and the truth behind them. Made by `simulate`.

    Nothing in it is real. Only numbers are kept; the records' JSON is made when it is asked for.

    Examples
    --------
    >>> from lrnanalysis.sandbox import simulate
    >>> simulation = simulate(learners=20, items=10, seed=1, attempts=0.0)
    >>> simulation
    Simulation(SIMULATED, no person or item is real: 20 learners, 20 sessions, 10 items, 1 form, \
seed=1)
    >>> len(list(simulation.records())) == len(simulation) == 20
    True
    >>> sorted(simulation.truth)
    ['forms', 'items', 'options', 'persons', 'questions', 'sessions']
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def __len__(self) -> int:
        return len(self._world.row)

    def __repr__(self) -> str:
        world = self._world
        forms = len(world.design.forms)
        return (
            f"Simulation(SIMULATED, no person or item is real: {len(world.learners):,} learners, "
            f"{len(self):,} sessions, {len(world.design.items):,} items, "
            f"{forms} form{'s' if forms > 1 else ''}, seed={world.settings.seed})"
        )

    @property
    def activity(self) -> str:
        """``activity_id`` of all sessions."""
        return self._world.settings.activity

    @property
    def time_limit(self) -> int:
        """Time limit of all forms [s]: ``max_time``."""
        return self._world.limit

    @property
    def updated(self) -> IntArray:
        """When each record was changed last [Unix s], ascending; shape (sessions,)."""
        return self._world.timeline.updated.copy()

    def records(self, which: Iterable[int] | None = None) -> Iterator[bytes]:
        """Print sessions as the Data API would return them.

        Parameters
        ----------
        which : iterable of int, optional
            Positions of the sessions wanted, in the order wanted; by default all, in the order of
            their updated times.

        Yields
        ------
        bytes
            A session's record: compact JSON in UTF-8.

        Raises
        ------
        ValueError
            A position is no whole number, or not one of the simulation's.

        Examples
        --------
        >>> import json
        >>> from lrnanalysis.sandbox import simulate
        >>> last = next(simulate(learners=20, items=10).records([-1]))
        >>> json.loads(last)["activity_id"]
        'demo'
        """
        return self._printed(self._positions(which))

    def pages(self, size: int = 50) -> Iterator[bytes]:
        """Print whole pages, as a crawl in ascending order would get them.

        Parameters
        ----------
        size : int, default 50
            Sessions a page, 1 to 50; the last page has what is left. The empty page that ends a
            crawl is not among them.

        Yields
        ------
        bytes
            A page: ``meta`` with status, timestamp, next and records, and ``data``.

        Examples
        --------
        >>> from lrnanalysis.sandbox import simulate
        >>> len(list(simulate(learners=120, items=5, attempts=0.0).pages()))
        3
        """
        size = whole("size", size, 1, 50)
        return self._pages(size)

    @cached_property
    def session_metadata(self) -> pd.DataFrame:
        """Stored session metadata: ``group``, ``grade``, ``school``; a row a record.

        The Data API returns of these only what ``include`` asks for: they are not in the records.
        """
        learners = self.truth["persons"].iloc[self._world.sittings.learner]
        columns = learners[["group", "grade", "school"]].reset_index(drop=True)
        return columns.astype("str")

    @cached_property
    def truth(self) -> Mapping[str, pd.DataFrame]:
        """What is true: tables by name.

        ``persons``
            user_id, group, grade, school, ability (mean 0, SD 1 over all groups), speed,
            rapid_guesser, attempts.
        ``items``
            item_reference, question_type, n_questions, scoring_type, strand, anchor; a, b, c of
            the logistic model (b is the mean of the thresholds where there are several points)
            and chance (see questions), where the item holds one question; alpha, beta of the
            lognormal model [1 / ln s, ln s]; dif (added to b in the last group); max_score; key
            (the option where it is one, else JSON text).
        ``questions``
            The same a question, with the thresholds b1 to b4; kind; chance (expected share of the
            points under a rapid guess); testlet_sd (SD of the effect that an item's questions
            share).
        ``options``
            Options of the closed questions: part (gap or stem), option, correct, attractiveness
            and slope of the nominal model.
        ``forms``
            form, activity_template_id, position, item_reference, anchor.
        ``sessions``
            session_id, user_id, attempt, form, status, ability and speed (practice included),
            rapid_from (position from 1 of the first rapid guess), left_at (position of the last
            item seen in a session that was left); n_omitted, n_cut_off, n_not_reached
            [questions]; active, paused [s]; dt_started, dt_updated. A row a record.
        """
        world = self._world
        return MappingProxyType(
            {
                "persons": tables.persons_table(world.learners, list(world.settings.groups)),
                "items": tables.items_table(world.design),
                "questions": tables.questions_table(world.design),
                "options": tables.options_table(world.design),
                "forms": tables.forms_table(world.design),
                "sessions": tables.sessions_table(
                    world.session_id,
                    world.learners,
                    world.sittings,
                    world.timeline,
                    world.design,
                    world.cells,
                    world.row,
                ),
            }
        )

    @property
    def answers(self) -> pd.DataFrame:
        """What became of every question: a row a session and question. Large; made anew each time.

        Columns session_id, item_reference, question_reference, position (of the item, from 1),
        outcome ("answered", "omitted", "cut off" by the time limit, "not reached"), rapid (an
        answer by a rapid guess), points (what the answer is worth, marked or not; 0 where there
        is none).
        """
        world = self._world
        return tables.answers_table(
            world.session_id, world.sittings, world.design, world.cells, world.row
        )

    @cached_property
    def _printers(self) -> list[FormPrinter]:
        world = self._world
        return [
            FormPrinter(
                form,
                activity=world.settings.activity,
                limit=world.limit,
                subscores=world.settings.subscores,
            )
            for form in world.design.forms
        ]

    def _positions(self, which: Iterable[int] | None) -> IntArray:
        n = len(self)
        if which is None:
            return np.arange(n)
        wanted = np.array(list(which))
        if not len(wanted):
            return np.empty(0, dtype=np.int64)
        if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
            raise ValueError(f"which holds {wanted.flat[0]}: give positions, whole numbers")
        wrong = wanted[(wanted < -n) | (wanted >= n)]
        if len(wrong):
            raise ValueError(f"which holds {wrong[0]}: there are {n} sessions, 0 to {n - 1}")
        positions: IntArray = np.arange(n)[wanted]
        return positions

    def _printed(self, wanted: IntArray) -> Iterator[bytes]:
        world = self._world
        for first in range(0, len(wanted), _BLOCK):
            block = wanted[first : first + _BLOCK]
            texts: dict[int, bytes] = {}
            form = world.sittings.form[block]
            for at in np.unique(form).tolist():
                places = np.flatnonzero(form == at)
                mine = block[places]
                printed = self._printers[at].print(
                    world.cells[at][world.row[mine]], self._heads(mine)
                )
                texts.update(zip(places.tolist(), printed, strict=True))
            for place in range(len(block)):
                yield texts.pop(place)

    def _heads(self, which: IntArray) -> Heads:
        world = self._world
        learner = world.sittings.learner[which].tolist()
        return Heads(
            session_id=[world.session_id[at] for at in which.tolist()],
            user_id=[world.learners.user_id[at] for at in learner],
            user_agent=world.user_agent[which],
            timeline=world.timeline[which],
        )

    def _pages(self, size: int) -> Iterator[bytes]:
        updated = self._world.timeline.updated.tolist()
        now = updated[-1] + 1
        records = self._printed(np.arange(len(self)))
        last = -1
        while batch := list(itertools.islice(records, size)):
            last += len(batch)
            head = b'{"meta":{"status":true,"timestamp":%d,"next":"%d.%d","records":%d},"data":['
            yield b"%b%b]}" % (
                head % (now, updated[last], last, len(batch)),
                b",".join(batch),
            )
