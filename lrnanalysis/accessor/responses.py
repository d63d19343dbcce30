"""`.lrn` on the responses table."""

from __future__ import annotations

import math

import pandas as pd

from lrnanalysis.accessor.documented import documented
from lrnanalysis.accessor.pictures import ResponsesPlots
from lrnanalysis.measures import answer_decoding as answers
from lrnanalysis.measures import scores
from lrnanalysis.measures.matrices import Attempts, RowKey

__all__ = ["ResponsesAccessor"]


class ResponsesAccessor:
    """`.lrn` on the responses table: one row a response."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def plot(self) -> ResponsesPlots:
        """Pictures of this table: `lrnanalysis.plots` with its choices in front."""
        return ResponsesPlots(self._frame)

    @documented(
        scores.response_status,
        ">>> study.responses.lrn.status().value_counts().to_dict()",
        "{'scored': 6883, 'unattempted': 428, 'attempted': 82, 'unmarked': 59}",
    )
    def status(self) -> pd.Series:
        return scores.response_status(self._frame)

    @documented(
        answers.choices,
        ">>> list(study.responses.lrn.choices().columns)[-2:]",
        "['slot', 'choice']",
    )
    def choices(self) -> pd.DataFrame:
        return answers.choices(self._frame)

    @documented(
        answers.values,
        ">>> study.responses.lrn.values().iloc[0]",
        "['0']",
    )
    def values(self) -> pd.Series:
        return answers.values(self._frame)

    @documented(
        answers.decodable,
        ">>> list(study.responses.lrn.decodable().columns)[:2]",
        "['responses', 'decoded']",
    )
    def decodable(self) -> pd.DataFrame:
        return answers.decodable(self._frame)

    @documented(
        answers.words,
        ">>> float(study.responses.lrn.words().median())",
        "1.0",
    )
    def words(self) -> pd.Series:
        return answers.words(self._frame)

    @documented(
        scores.score_percent,
        ">>> float(study.responses.lrn.score_percent().mean().round(1))",
        "58.6",
    )
    def score_percent(self) -> pd.Series:
        return scores.score_percent(self._frame)

    @documented(
        scores.response_score_matrix,
        ">>> study.responses.lrn.score_matrix(sessions=study.sessions).shape",
        "(315, 23)",
    )
    def score_matrix(
        self,
        *,
        rows: RowKey = "session_id",
        sessions: pd.DataFrame | None = None,
        attempts: Attempts | None = None,
        keep_discarded: bool = False,
        unattempted: float | None = 0.0,
        unmarked: float = math.nan,
    ) -> pd.DataFrame:
        return scores.response_score_matrix(
            self._frame,
            rows=rows,
            sessions=sessions,
            attempts=attempts,
            keep_discarded=keep_discarded,
            unattempted=unattempted,
            unmarked=unmarked,
        )
