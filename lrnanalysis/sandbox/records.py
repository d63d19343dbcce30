"""Records of simulated sessions as JSON bytes, in the shapes of the Data API.

Every text that a question or an item can bring into a record is made once; a session picks its
texts by number and joins them. Three control characters, which JSON never holds, stand for what
only the session knows, and are replaced in the joined text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrnanalysis.sandbox.design import Form, Item, Question
from lrnanalysis.sandbox.responding import ANSWERED, Cells
from lrnanalysis.sandbox.timeline import NEVER, Timeline
from lrnanalysis.tables.schema import STATUSES

__all__ = ["USER_AGENTS", "FormPrinter", "Heads", "utc_texts"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

_SESSION, _SCORED, _MARKED = b"\x01", b"\x02", b"\x03"

_QUESTIONS_API = "v2.160.0"
_ITEMS_API = "v1.118.0"
_ORGANISATION = 1

#: Most revisions of an answer (see `lrnanalysis.sandbox.responding`).
_REVISIONS = 3

USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.6 Mobile/15E148 Safari/604.1",
)


@dataclass(frozen=True, eq=False)
class Heads:
    """What a session's record says beside its responses and items, an entry a session.

    Attributes
    ----------
    session_id, user_id : list of str
        Identifiers.
    user_agent : array of int
        Position in `USER_AGENTS`.
    timeline : Timeline
        Status and times.
    """

    session_id: list[str]
    user_id: list[str]
    user_agent: IntArray
    timeline: Timeline


def _text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def utc_texts(times: IntArray) -> list[bytes]:
    """Unix seconds as JSON: ``"YYYY-MM-DDTHH:MM:SSZ"``, or null for `NEVER`.

    Examples
    --------
    >>> import numpy as np
    >>> utc_texts(np.array([0, NEVER]))
    [b'"1970-01-01T00:00:00Z"', b'null']
    """
    spelt = np.datetime_as_string(times.astype("datetime64[s]")).astype("S").tolist()
    return [
        b"null" if time == NEVER else b'"%bZ"' % one
        for time, one in zip(times.tolist(), spelt, strict=True)
    ]


class _ResponseTexts:
    """Texts of one question's responses.

    Numbered by ``(answer * 3 + revision - 1) * 2 + (0 with a score, 1 without)``; after all
    answers comes what stands for none.
    """

    def __init__(self, question: Question, item: Item) -> None:
        catalogue = question.catalogue
        head = b'{"response_id":"%b_%b","question_type":%b,"question_reference":"%b",' % (
            _SESSION,
            question.reference.encode(),
            _text(question.format.question_type),
            question.reference.encode(),
        )
        head += b'"item_reference":%b,"automarkable":%b,"attempted":' % (
            _text(item.reference),
            _text(not question.is_essay),
        )
        scored = _MARKED if question.is_essay else _SCORED
        score = b',"score":%b,"max_score":%d,"dt_score_updated":%b,"response":'
        states = {
            points: [
                score % (b"%d" % points, catalogue.max_score, scored),
                score % (b"null", catalogue.max_score, b"null"),
            ]
            for points in range(catalogue.max_score + 1)
        }
        self.texts: list[bytes] = []
        for at, (value, points) in enumerate(
            zip(catalogue.values, catalogue.points.tolist(), strict=True)
        ):
            count = b'"wordCount":%d,' % catalogue.words[at] if catalogue.words else b""
            stored = b'{"value":%b,"type":"%b",%b"apiVersion":"%b","revision":' % (
                value.encode(),
                question.format.value_type.encode(),
                count,
                _QUESTIONS_API.encode(),
            )
            self.texts += [
                head + b"true" + state + stored + b"%d}}" % revision
                for revision in range(1, _REVISIONS + 1)
                for state in states[points]
            ]
        # Nothing to mark: the machine's 0 stands for a marker's.
        none = score % (b"0", catalogue.max_score, _SCORED)
        self.none = len(self.texts)
        self.texts += [head + b"false" + state + b"null}" for state in (none, states[0][1])]


class _ItemTexts:
    """Texts of one item: before its time, and after it by flag and score (the last: none)."""

    def __init__(self, item: Item, pool: str) -> None:
        reference = _text(item.reference)
        ids = b",".join(
            b'"%b_%b"' % (_SESSION, question.reference.encode()) for question in item.questions
        )
        head = b'{"reference":%b,' % reference
        self.heads = [head, head + b'"time":']
        source = b'"source":{"reference":%b,"organisation_id":%d,"item_pool_id":%b}}' % (
            reference,
            _ORGANISATION,
            _text(pool),
        )
        scores = [b"%d" % score for score in range(item.max_score + 1)] + [b"null"]
        self.tails = [
            b'"response_ids":[%b],"user_flagged":%b,"scoring":{"score":%b,"max_score":%d,'
            b'"type":"%b"},%b'
            % (ids, flag, score, item.max_score, item.scoring_type.encode(), source)
            for flag in (b"false", b"true")
            for score in scores
        ]


class FormPrinter:
    """Prints sessions of one form.

    Parameters
    ----------
    form : Form
        The form.
    activity : str
        ``activity_id``.
    limit : int
        Time limit [s].
    subscores : bool
        Whether scored sessions have subscores by strand.
    """

    def __init__(self, form: Form, *, activity: str, limit: int, subscores: bool) -> None:
        self._form = form
        self._activity = _text(activity)
        responses = [
            _ResponseTexts(question, item) for item in form.items for question in item.questions
        ]
        items = [_ItemTexts(item, f"{activity}-pool") for item in form.items]
        self._responses, self._response_starts = _flat([one.texts for one in responses])
        self._none = np.array([one.none for one in responses])
        self._heads, self._head_starts = _flat([one.heads for one in items])
        self._tails, self._tail_starts = _flat([one.tails for one in items])
        self._essay = np.array([question.is_essay for question in form.questions])
        self._max_scores = np.array([question.catalogue.max_score for question in form.questions])
        self._max_score = sum(item.max_score for item in form.items)
        self._subscores = _Subscores(form) if subscores else None
        self._metadata = [
            b'],"metadata":{"activity_template_id":%b,"items_api_version":"%b","max_time":%d,'
            b'"user_agent":%b}}' % (_text(form.template), _ITEMS_API.encode(), limit, _text(agent))
            for agent in USER_AGENTS
        ]

    def print(self, cells: Cells, heads: Heads) -> Iterator[bytes]:
        """Print sessions.

        Parameters
        ----------
        cells : Cells
            What they hold, a row a session.
        heads : Heads
            The rest.

        Yields
        ------
        bytes
            A record each, compact JSON in UTF-8.
        """
        timeline = heads.timeline
        attempted = cells.outcome == ANSWERED
        by_machine = (timeline.scored != NEVER)[:, None]
        by_hand = (timeline.marked != NEVER)[:, None]
        without = np.where(self._essay & attempted, ~by_hand, ~by_machine)
        item_scores, unscored = self._item_scores(cells, without)
        score = np.where(unscored, 0, item_scores).sum(axis=1).tolist()
        is_scored = by_machine[:, 0].tolist()
        responses = self._response_texts(cells, attempted, without)
        items = self._item_texts(cells, item_scores, unscored)
        subscores = (
            self._subscores.texts(attempted, without, item_scores, unscored)
            if self._subscores
            else [b"null"] * len(cells)
        )
        n_attempted = attempted.sum(axis=1).tolist()
        times = [
            utc_texts(moment)
            for moment in (
                timeline.started,
                timeline.saved,
                timeline.completed,
                timeline.scored,
                timeline.marked,
            )
        ]
        statuses = [STATUSES[at].encode() for at in timeline.status.tolist()]
        durations = timeline.duration.tolist()
        agents = heads.user_agent.tolist()
        for row, (started, saved, completed, scored, marked) in enumerate(zip(*times, strict=True)):
            head = (
                b'{"user_id":"%b","activity_id":%b,"num_attempted":%d,"num_questions":%d,'
                b'"session_id":"%b","score":%b,"max_score":%d,"subscores":%b,'
                b'"session_duration":%d,"status":"%b","dt_started":%b,%b"dt_completed":%b,'
                b'"responses":['
                % (
                    heads.user_id[row].encode(),
                    self._activity,
                    n_attempted[row],
                    len(self._max_scores),
                    _SESSION,
                    b"%d" % score[row] if is_scored[row] else b"null",
                    self._max_score,
                    subscores[row] if is_scored[row] else b"null",
                    durations[row],
                    statuses[row],
                    started,
                    b"" if saved == b"null" else b'"dt_saved":%b,' % saved,
                    completed,
                )
            )
            yield (
                b"".join(
                    (
                        head,
                        b",".join(responses[row]),
                        b'],"items":[',
                        b"".join(items[row])[:-1],
                        self._metadata[agents[row]],
                    )
                )
                .replace(_SESSION, heads.session_id[row].encode())
                .replace(_SCORED, scored)
                .replace(_MARKED, marked)
            )

    def _item_scores(self, cells: Cells, without: BoolArray) -> tuple[IntArray, BoolArray]:
        """Scores of the items, and whether they have none yet."""
        form = self._form
        scores = np.empty((len(cells), len(form.items)), dtype=np.int64)
        points = cells.points.astype(np.int64)
        for at, item in enumerate(form.items):
            scores[:, at] = item.score(points[:, form.starts[at] : form.starts[at + 1]])
        return scores, np.logical_or.reduceat(without, form.starts[:-1], axis=1)

    def _response_texts(
        self, cells: Cells, attempted: BoolArray, without: BoolArray
    ) -> list[list[bytes]]:
        number = (cells.answer.astype(np.int64) * _REVISIONS + cells.revision - 1) * 2
        number = np.where(attempted, number, self._none) + without
        texts: list[list[bytes]] = self._responses[self._response_starts + number].tolist()
        return texts

    def _item_texts(self, cells: Cells, scores: IntArray, unscored: BoolArray) -> list[list[bytes]]:
        highest = np.array([item.max_score for item in self._form.items])
        number = np.where(unscored, highest + 1, scores) + cells.flagged * (highest + 2)
        texts = np.empty((len(cells), 4 * len(highest)), dtype=object)
        timed = cells.time > 0
        texts[:, 0::4] = self._heads[self._head_starts + timed]
        texts[:, 1::4] = _time_texts(cells.time)
        texts[:, 2::4] = self._tails[self._tail_starts + number]
        texts[:, 3::4] = b","
        rows: list[list[bytes]] = texts.tolist()
        return rows


def _flat(texts: Sequence[Sequence[bytes]]) -> tuple[Texts, IntArray]:
    """All texts in one array, and where each one's begin."""
    flat = np.empty(sum(map(len, texts)), dtype=object)
    flat[:] = [text for one in texts for text in one]
    starts = np.cumsum([0, *map(len, texts)])[:-1]
    return flat, starts


def _time_texts(times: npt.NDArray[np.uint16]) -> Texts:
    """Times as they stand after ``"time":``, their comma included; empty for none."""
    known, place = np.unique(times, return_inverse=True)
    texts = np.empty(len(known), dtype=object)
    texts[:] = [b"%d," % time if time else b"" for time in known.tolist()]
    return texts[place.reshape(times.shape)]


class _Subscores:
    """Subscores of a form by strand."""

    def __init__(self, form: Form) -> None:
        strands = list(dict.fromkeys(item.strand for item in form.items))
        self._strand = np.array([strands.index(item.strand) for item in form.items])
        self._starts = form.starts[:-1]
        self._max_scores = np.array([item.max_score for item in form.items])
        n_questions = self._by_strand(np.diff(form.starts)[None])[0]
        max_scores = self._by_strand(self._max_scores[None])[0]
        self._heads = [
            b'{"id":%b,"title":%b,"items":%b,"num_questions":%d,"max_score":%d,'
            % (
                _text(strand.lower()),
                _text(strand),
                _text([item.reference for item in form.items if item.strand == strand]),
                n_questions[at],
                max_scores[at],
            )
            for at, strand in enumerate(strands)
        ]

    def _by_strand(self, of_items: IntArray) -> IntArray:
        """Sums over the items of each strand; shape (sessions, strands)."""
        member = np.eye(self._strand.max() + 1, dtype=np.int64)[self._strand]
        sums: IntArray = of_items @ member
        return sums

    def texts(
        self, attempted: BoolArray, without: BoolArray, scores: IntArray, unscored: BoolArray
    ) -> list[bytes]:
        """JSON lists of the subscores, one a session.

        Parameters
        ----------
        attempted, without : array of bool, shape (sessions, questions)
            Questions that were answered, and that have no score yet.
        scores, unscored : array, shape (sessions, items)
            Scores of the items, and whether they have none yet.
        """
        n_attempted = np.add.reduceat(attempted, self._starts, axis=1, dtype=np.int64)
        n_unmarked = np.add.reduceat(without, self._starts, axis=1, dtype=np.int64)
        columns = [
            n_attempted,
            np.where(unscored, 0, scores),
            np.where(n_attempted > 0, self._max_scores, 0),
            n_unmarked,
            np.where(unscored, self._max_scores, 0),
        ]
        table = np.stack([self._by_strand(one) for one in columns], axis=2).tolist()
        form = (
            b'%b"num_attempted":%d,"score":%d,"attempted_max_score":%d,"num_unmarked":%d,'
            b'"unmarked_max_score":%d}'
        )
        return [
            b"[%b]"
            % b",".join(
                form % (head, *numbers) for head, numbers in zip(self._heads, row, strict=True)
            )
            for row in table
        ]
