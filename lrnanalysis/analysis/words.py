"""The rules of an analysis in words: a table, a caption, a paragraph for a paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import version

import pandas as pd

from lrnanalysis.analysis.decisions import CellValue, Decisions
from lrnanalysis.measures.effort import find_rule
from lrnanalysis.measures.forms import Forms
from lrnanalysis.measures.scores.common_scale import Maxima, describe_maxima

__all__ = ["AnalysisWords"]

_ATTEMPTS = {
    "first": "first session per learner and activity",
    "last": "last session per learner and activity",
    "best": "best session per learner and activity (highest share of points)",
    "all": "all sessions of a learner",
}
_NOT_REACHED = {
    "run": "the unbroken run of unanswered items at the end",
    "after_first": "the run of unanswered items at the end, except its first item",
    "no_time": "unanswered items without a time on screen",
}
_UNITS = {"session": "one row per session", "user": "one row per learner"}
_LEVELS = {"item": "one column per item", "question": "one column per question"}
_IDENTITIES = {
    "reference": "items are told apart by the activity's reference",
    "source": "items are told apart by the item bank's reference and organisation",
}
_SCORES = {
    "raw": "scores as marked",
    "adjusted": "scores after adjustments of responses (a session's own belongs to no item)",
}
_VALUES = {"points": "points", "share": "shares of the maximum (0 to 1)"}

_REASONS = {
    "no item shown": "without an item",
    "no user_id": "without a learner",
    "other attempts": "other attempts of the same learner",
}

#: How many forms are told one by one.
_FORMS = 4

_MODERATED = (
    "Wise, S. L., & DeMars, C. E. (2006). An application of item response time: the "
    "effort-moderated IRT model. Journal of Educational Measurement, 43(1), 19-38."
)


@dataclass(frozen=True, eq=False)
class AnalysisWords:
    """The size and the rules of an analysis in words.

    Attributes
    ----------
    decisions : Decisions
        The decisions.
    flow : DataFrame
        Sessions left out by each rule.
    persons, learners, columns : int
        Rows of the matrices, learners behind them, and columns.
    never_scored : int
        Items (or questions) that are no column because they are never scored.
    cells : dict of str to int
        Number of cells of every kind.
    maxima : dict
        Maxima of the columns whose points were rescaled.
    forms : Forms
        The sets of items that persons were given.
    """

    decisions: Decisions
    flow: pd.DataFrame
    persons: int
    learners: int
    columns: int
    never_scored: int
    cells: dict[str, int]
    maxima: Maxima
    forms: Forms

    @property
    def size(self) -> str:
        """How many persons and columns there are."""
        columns = f"{self.columns:,} {self.decisions.level}s"
        if self.decisions.unit == "session" and self.decisions.attempts == "all":
            repeat = " (persons repeat)" if self.learners < self.persons else ""
            return f"{self.persons:,} sessions of {self.learners:,} learners{repeat} × {columns}"
        return f"{self.persons:,} persons × {columns}"

    @property
    def rules(self) -> str:
        """The decisions in a line: those on who counts, and on what cells become."""
        decisions = self.decisions
        statuses = ", ".join(decisions.statuses) or "all statuses"
        parts = [] if decisions.activities is None else [", ".join(decisions.activities)]
        parts += [statuses, f"{decisions.attempts} attempts"]
        if decisions.item == "source":
            parts.append("items by bank reference")
        if decisions.score == "adjusted":
            parts.append("adjusted scores")
        if decisions.value == "share":
            parts.append("shares of the maximum")
        parts += [
            f"omitted = {_short(decisions.omitted)}",
            f"not reached = {_short(decisions.not_reached)}"
            + (
                ""
                if decisions.not_reached_rule == "run"
                else f" (rule {decisions.not_reached_rule})"
            ),
        ]
        parts += [
            f"{kind} = {_short(getattr(decisions, kind))}"
            for kind in ("unmarked", "unscored")
            if getattr(decisions, kind) != "missing"
        ]
        if decisions.rapid is not None:
            parts.append(f"rapid ({self._rapid()}) = missing")
        return "; ".join(parts)

    @property
    def caption(self) -> str:
        """Size and rules in a line, as pictures and tables carry it."""
        forms = f" in {len(self.forms):,} forms" if len(self.forms) > 1 else ""
        return f"{self.size}{forms}; {self.rules}"

    def table(self) -> pd.DataFrame:
        """One row per decision: its value, what it did, how many rows it touched."""
        decisions, flow = self.decisions, self.flow["left_out"]
        gone = flow[[step for step in flow.index if step.startswith("status ")]]
        by_status = ", ".join(
            f"{n:,} {str(step).removeprefix('status ')}" for step, n in gone.items()
        )
        rows: list[tuple[str, str, str, int]] = [
            (
                "activity",
                "all" if decisions.activities is None else ", ".join(decisions.activities),
                "sessions of other activities are left out",
                int(flow.get("other activities", 0)),
            ),
            (
                "status",
                ", ".join(decisions.statuses) or "all",
                f"sessions left out: {by_status or 'none'}",
                int(gone.sum()),
            ),
            (
                "attempts",
                decisions.attempts,
                f"{_ATTEMPTS[decisions.attempts]}; the others are left out",
                int(flow.get("other attempts", 0)) + int(flow.get("no user_id", 0)),
            ),
            ("unit", decisions.unit, _UNITS[decisions.unit], self.persons),
            ("level", decisions.level, _LEVELS[decisions.level], self.columns),
            ("item", decisions.item, _IDENTITIES[decisions.item], self.columns),
        ]
        if "no item shown" in flow:
            gone_without = int(flow["no item shown"])
            rows.insert(2, ("items", "any", "sessions without an item are left out", gone_without))
        for name, kind in (
            ("omitted", "omitted"),
            ("not_reached", "not reached"),
            ("unmarked", "unmarked"),
            ("unscored", "unscored"),
        ):
            value: CellValue = getattr(decisions, name)
            effect = f"{kind} cells {_effect(value)}"
            if kind == "unscored" and self.never_scored:
                effect += f"; {self.never_scored} {decisions.level}s never scored are not columns"
            rows.append((name, str(value), effect, self.cells[kind]))
        rows.insert(
            -2,
            (
                "not_reached_rule",
                decisions.not_reached_rule,
                f"not reached: {_NOT_REACHED[decisions.not_reached_rule]}",
                self.cells["not reached"],
            ),
        )
        answered = sum(self.cells[kind] for kind in ("right", "wrong", "partial"))
        held = _VALUES[decisions.value]
        if self.maxima:
            held += f"; {describe_maxima(self.maxima)}: rescaled to the highest maximum"
        rows += [
            ("score", decisions.score, _SCORES[decisions.score], answered),
            (
                "value",
                decisions.value,
                f"cells hold {held}",
                answered,
            ),
            (
                "rapid",
                "none" if decisions.rapid is None else self._rapid(),
                "no answer is left out for its time"
                if decisions.rapid is None
                else "answers faster than the item's threshold are missing",
                self.cells["rapid"],
            ),
        ]
        table = pd.DataFrame(rows, columns=["decision", "value", "effect", "rows"])
        return table.set_index("decision")

    def flow_line(self) -> str:
        """How many sessions were left out by which rule, in a line."""
        start = int(self.flow["sessions"].iloc[0])
        steps = [
            f"{n:,} {str(step).removeprefix('status ')}"
            for step, n in self.flow["left_out"].iloc[1:].items()
            if n
        ]
        if not steps:
            return f"{start:,} sessions, none left out"
        return f"{start:,} sessions → left out {', '.join(steps)} → " + (
            f"{int(self.flow['sessions'].iloc[-1]):,}"
        )

    def methods_text(self) -> str:
        """A paragraph for the methods section of a paper, with its references."""
        decisions, flow = self.decisions, self.flow
        start = flow.iloc[0]
        left_out = [
            f"{int(n):,} ({_REASONS.get(str(step), step)})"
            for step, n in flow["left_out"].iloc[1:].items()
            if n
        ]
        gone = f" Sessions left out: {_listed(left_out)}." if left_out else ""
        statuses = _listed(list(decisions.statuses), "or") or "any status"
        sentences = [
            f"The study held {int(start['sessions']):,} sessions of "
            f"{int(start['learners']):,} learners.{gone}",
            f"Analyses used the {_ATTEMPTS[decisions.attempts]} with status {statuses}: "
            f"{self.size}."
            + (
                " Persons repeat, so that their rows are not independent."
                if self.learners < self.persons
                else ""
            ),
            *(
                [
                    f"Not everybody was given the same {decisions.level}s: there were "
                    f"{self.forms_line()}."
                ]
                if len(self.forms) > 1
                else []
            ),
            f"Cells held {_VALUES[decisions.value]}, {_SCORES[decisions.score]}.",
            f"Omitted {decisions.level}s ({self.cells['omitted']:,} cells) "
            f"{_treated(decisions.omitted)}, and those not reached "
            f"({self.cells['not reached']:,} cells; {_NOT_REACHED[decisions.not_reached_rule]}) "
            f"{_treated(decisions.not_reached)}.",
        ]
        if self.maxima:
            several = f"{len(self.maxima)} {decisions.level}s"
            sentences.append(
                f"Points of {f'one {decisions.level}' if len(self.maxima) == 1 else several}, "
                "worth different points in different sessions, were rescaled to the highest "
                "maximum."
            )
        for kind, what in (("unmarked", "awaiting a mark"), ("unscored", "that are not scored")):
            if self.cells[kind]:
                value: CellValue = getattr(decisions, kind)
                sentence = f"Answers {what} ({self.cells[kind]:,} cells) {_treated(value)}"
                if kind == "unmarked" and value == "missing":
                    sentence += ", so that percentages of points are of the points marked"
                sentences.append(f"{sentence}.")
        if self.never_scored:
            sentences.append(
                f"{self.never_scored} {decisions.level}s that are never scored were left out."
            )
        references = []
        if decisions.rapid is not None:
            sentences.append(
                f"Rapid guesses ({self.cells['rapid']:,} answers faster than the item's threshold, "
                f"rule {self._rapid()}) were treated as missing, as in effort-moderated scoring "
                "(Wise & DeMars, 2006)."
            )
            references = [_MODERATED]
            if isinstance(decisions.rapid, str):
                references = [find_rule(decisions.rapid)[0].reference, _MODERATED]
        sentences.append(f"Computations used lrnanalysis {version('lrnanalysis')}.")
        text = " ".join(sentences)
        return text + "".join(f"\n\n{reference}" for reference in references if reference)

    def forms_line(self) -> str:
        """The forms in a line; empty where everybody was given the same."""
        if len(self.forms) < 2:
            return ""
        sizes = self.forms.items.sum(axis=1)
        shown = [
            f"{persons:,} persons × {items} {self.decisions.level}s"
            for persons, items in zip(self.forms.persons[:_FORMS], sizes[:_FORMS], strict=True)
        ]
        more = ["…"] if len(self.forms) > _FORMS else []
        return f"{len(self.forms):,} forms ({', '.join(shown + more)})"

    def _rapid(self) -> str:
        rapid = self.decisions.rapid
        if isinstance(rapid, pd.Series | pd.DataFrame):
            return "thresholds given per item"
        return rapid if isinstance(rapid, str) else f"{rapid:g} s"


def _short(value: CellValue) -> str:
    if isinstance(value, str):
        return {"wrong": "0"}.get(value, value)
    return f"{value:g}"


def _effect(value: CellValue) -> str:
    if isinstance(value, str):
        return {
            "missing": "are missing",
            "wrong": "count as 0",
            "recorded": "keep their recorded points",
        }[value]
    return f"count as {value:g}"


def _treated(value: CellValue) -> str:
    if isinstance(value, str):
        return {
            "missing": "were treated as missing",
            "wrong": "were scored 0",
            "recorded": "kept their recorded points",
        }[value]
    return f"were scored {value:g}" if math.isfinite(value) else "were treated as missing"


def _listed(parts: list[str], word: str = "and") -> str:
    return ", ".join(parts[:-1]) + f" {word} {parts[-1]}" if len(parts) > 1 else "".join(parts)
