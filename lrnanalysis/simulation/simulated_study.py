"""Simulated sessions and the truth behind them: `Simulation`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from lrnanalysis.arguments import checked_with
from lrnanalysis.errors import SimulationError
from lrnanalysis.simulation import truth_tables
from lrnanalysis.simulation.draws import Draws
from lrnanalysis.simulation.session_records import form_records
from lrnanalysis.simulation.simulation_settings import check_integer

__all__ = ["Simulation"]

IntArray = npt.NDArray[np.int64]

#: Records written at a time.
_BLOCK = 512


class Simulation:
    """Simulated sessions, and the truth behind them. Made by `simulate`.

    Nothing in it is real. Only numbers are stored; records are written on request.

    Examples
    --------
    >>> from lrnanalysis.simulation import simulate
    >>> simulation = simulate(learners=20, items=10, seed=1, attempts=0.0)
    >>> simulation
    Simulation(SIMULATED, no person or item is real: 20 learners, 20 sessions, 10 items, 1 form, \
seed=1)
    >>> len(list(simulation.records())) == len(simulation) == 20
    True
    >>> sorted(simulation.truth)
    ['forms', 'items', 'options', 'persons', 'questions', 'sessions']
    """

    def __init__(self, draws: Draws) -> None:
        self._draws = draws

    def __len__(self) -> int:
        return len(self._draws.row)

    def __repr__(self) -> str:
        draws = self._draws
        forms = len(draws.assessment.forms)
        return (
            f"Simulation(SIMULATED, no person or item is real: {len(draws.learners):,} learners, "
            f"{len(self):,} sessions, {len(draws.assessment.items):,} items, "
            f"{forms} form{'s' if forms > 1 else ''}, seed={draws.settings.seed})"
        )

    @property
    def time_limit(self) -> int:
        """Time limit of all forms [s]: ``max_time``."""
        return self._draws.limit

    @property
    def updated(self) -> IntArray:
        """Time of the last update of each record [Unix s], ascending; shape (sessions,)."""
        return self._draws.timeline.updated.copy()

    def records(self) -> Iterator[bytes]:
        """Write sessions as the Data API would return them, in the order of their updates.

        Yields
        ------
        bytes
            One session's record: compact JSON in UTF-8.

        Examples
        --------
        >>> import json
        >>> from lrnanalysis.simulation import simulate
        >>> first = next(simulate(learners=20, items=10).records())
        >>> json.loads(first)["activity_id"]
        'demo'
        """
        form = self._draws.plans.form
        for first in range(0, len(form), _BLOCK):
            block = form[first : first + _BLOCK]
            writers = {
                at: form_records(self._draws, at, first + np.flatnonzero(block == at))
                for at in np.unique(block).tolist()
            }
            for at in block.tolist():
                yield next(writers[at])

    @checked_with(SimulationError)
    def pages(self, size: int = 50) -> Iterator[bytes]:
        """Write pages as a crawl in ascending order would get them, without the empty last one.

        Parameters
        ----------
        size : int, default 50
            Sessions per page, 1 to 50.

        Yields
        ------
        bytes
            A page: ``meta`` with status, timestamp, next and records, and ``data``.

        Raises
        ------
        SimulationError
            The size is out of range.

        Examples
        --------
        >>> from lrnanalysis.simulation import simulate
        >>> len(list(simulate(learners=120, items=5, attempts=0.0).pages()))
        3
        """
        return self._write_pages(check_integer("size", size, 1, 50))

    @cached_property
    def session_metadata(self) -> pd.DataFrame:
        """Stored session metadata: ``group``, ``grade``, ``school``; one row per record.

        The records do not contain them: the Data API returns only those that ``include`` requests.
        """
        learners = self.truth["persons"].iloc[self._draws.plans.learner]
        columns = learners[["group", "grade", "school"]].reset_index(drop=True)
        return columns.astype("str")

    @cached_property
    def truth(self) -> Mapping[str, pd.DataFrame]:
        """Tables of the truth, by name.

        ``persons``
            user_id, group, grade, school, ability (mean 0, SD 1 over all groups), speed,
            rapid_guesser, attempts.
        ``items``
            item_reference, question_type, n_questions, scoring_type, strand, anchor; for items of
            one question a, b, c of the logistic model (b: mean of the thresholds) and chance (see
            questions); alpha, beta of the lognormal model [1 / ln s, ln s]; dif (added to b in the
            last group); max_score; key (the option if it is one, else JSON text).
        ``questions``
            The same per question, with the thresholds b1 to b4; kind; chance (expected share of
            the points under a rapid guess); testlet_sd (SD of the effect that the questions of an
            item share).
        ``options``
            Options of the closed questions: part (gap or stem), option, correct, attractiveness
            and slope of the nominal model.
        ``forms``
            form, activity_template_id, position, item_reference, anchor.
        ``sessions``
            session_id, user_id, attempt, form, status, ability and speed (practice included),
            rapid_from (position from 1 of the first rapid guess), left_at (position of the last
            item seen in an abandoned session); n_omitted, n_cut_off, n_not_reached [questions];
            active, paused [s]; dt_started, dt_updated. One row per record.
        """
        draws = self._draws
        return MappingProxyType(
            {
                "persons": truth_tables.persons_table(draws),
                "items": truth_tables.items_table(draws.assessment),
                "questions": truth_tables.questions_table(draws.assessment),
                "options": truth_tables.options_table(draws.assessment),
                "forms": truth_tables.forms_table(draws.assessment),
                "sessions": truth_tables.sessions_table(draws),
            }
        )

    @property
    def answers(self) -> pd.DataFrame:
        """Outcome of every question: one row per session and question. Not cached, as it is large.

        Columns session_id, item_reference, question_reference, position (of the item, from 1),
        outcome ("answered", "omitted", "cut off" by the time limit, "not reached"), rapid (whether
        the answer is a rapid guess), points (of the answer, marked or not; 0 without an answer).
        """
        return truth_tables.answers_table(self._draws)

    def _write_pages(self, size: int) -> Iterator[bytes]:
        updated = self._draws.timeline.updated.tolist()
        now = updated[-1] + 1
        records = self.records()
        last = -1
        while batch := list(itertools.islice(records, size)):
            last += len(batch)
            head = b'{"meta":{"status":true,"timestamp":%d,"next":"%d.%d","records":%d},"data":['
            yield b"%b%b]}" % (
                head % (now, updated[last], last, len(batch)),
                b",".join(batch),
            )
