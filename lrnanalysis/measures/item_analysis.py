"""Item analysis: the report of a test in one call.

It combines what `classical`, `timing`, `effort` and `answer_decoding` compute, all of it on the
same matrices, and computes nothing of its own.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures import classical, effort
from lrnanalysis.measures._checks import check_label_kinds, matching_cells, per_second, with_attrs
from lrnanalysis.measures._times import times_above_0
from lrnanalysis.measures.classical import FlagRule, Key, MaxScore
from lrnanalysis.measures.classical.flags import MINIMUM_N, TOO_FEW
from lrnanalysis.measures.effort import Chance, Method
from lrnanalysis.measures.forms import form_totals, forms_of

__all__ = ["ItemAnalysis", "item_analysis"]

#: Columns of the short table, with the names that they have there.
_SHORT = {
    "n": "n",
    "max_score": "max",
    "p": "p",
    "item_rest_r": "item_rest_r",
    "alpha_if_deleted": "alpha_if_deleted",
    "n_omitted": "omitted",
    "n_not_reached": "not_reached",
    "time_median": "time_median",
    "rapid_share": "rapid_share",
    "flags": "flags",
}

#: How many forms have a line of their own.
_FORMS = 8

#: How many decimals numbers have in what Jupyter shows.
_DECIMALS = 2


@dataclass(frozen=True, eq=False, repr=False)
class ItemAnalysis:
    """What `item_analysis` found.

    Attributes
    ----------
    items : DataFrame
        One row per item: ``question_types``; all columns of `lrnanalysis.classical.item_statistics`
        with counts of the kinds of missing; ``time_n`` answers with a time above 0,
        ``time_mean``, ``time_median`` and ``time_geometric_mean`` [s]; ``rapid_threshold`` [s] and
        ``rapid_share``, the share of the ``timed_answers`` below it (1 − response time fidelity);
        ``flags``, the names of the rules that the item or one of its options triggers, and "too
        few persons" where rules did not judge it.
    scores : Series of float64
        ``persons``, ``learners`` (fewer than persons where learners repeat), ``items``;
        ``max_score`` of the test [points]; ``complete``, persons with a score on every item;
        ``mean`` of the total, the sum of the items' means [points], with ``sd``, ``sem`` [points]
        and ``alpha`` as in `reliability`, so that incomplete persons count with what they have.
        There is no total over different forms: ``max_score``, ``mean``, ``sd`` and ``sem`` are
        then NaN, see `forms`, and ``alpha`` is that of a test of all items together;
        ``mean_p`` and ``mean_item_rest_r`` over the items; ``minutes``, median time per person;
        ``rapid_share`` of all timed answers; ``forms``, the number of sets of items that persons
        were given (NaN without cells).
    reliability : Series of float64
        What `lrnanalysis.classical.reliability` gives; all missing, with the reason in ``attrs``,
        where the data allow none.
    distractors : DataFrame
        What `lrnanalysis.classical.distractors` gives, for the questions whose choices can be
        decoded; empty without choices.
    flags : DataFrame
        One row per flag, see `lrnanalysis.classical.flags`.
    rules : DataFrame
        One row per rule, by name: ``rule``, ``meaning``, ``flags`` raised, and ``skipped``:
        whether the data to apply it were missing, and ``too_few``, the number of items or options
        that it did not judge.
    forms : DataFrame
        One row per form, the set of items that a person was given: ``persons``, ``items``,
        ``max_score`` [points], ``complete`` persons with a score on every item of the form,
        ``mean`` and ``sd`` of the total [points], ``alpha``, and the ``names`` of the items. Empty
        without the kinds of cells, which tell what was not given from what was not answered.
    """

    items: pd.DataFrame
    scores: pd.Series
    reliability: pd.Series
    distractors: pd.DataFrame
    flags: pd.DataFrame
    rules: pd.DataFrame
    forms: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """The columns of `items` that a report shows.

        Examples
        --------
        >>> list(study.item_analysis().table.columns[:4])
        ['n', 'max', 'p', 'item_rest_r']
        """
        there = [name for name in _SHORT if name in self.items]
        return self.items[there].rename(columns=_SHORT)

    def __repr__(self) -> str:
        shown = self.table.round(_DECIMALS).to_string(na_rep="–")
        raised = self.rules[self.rules["flags"] > 0]
        lines = [f"ItemAnalysis: {_headline(self.scores)}", *_form_lines(self.forms)]
        lines += ["", shown, ""]
        lines += [f"{name} ({row['rule']}): {row['flags']}" for name, row in raised.iterrows()]
        if "reason" in self.reliability.attrs:
            lines.append(f"no reliability: {self.reliability.attrs['reason']}")
        if "note" in self.reliability.attrs:
            lines.append(f"reliability: {self.reliability.attrs['note']}")
        lines += [line for line in [self._not_judged()] if line]
        skipped = self.rules.index[self.rules["skipped"]]
        if len(skipped):
            lines.append(f"rules without data: {', '.join(skipped)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = self.table.round(_DECIMALS)
        shown = table.to_html(na_rep="–", max_rows=200, border=0)
        raised = self.rules[self.rules["flags"] > 0]
        rows = "".join(
            f"<li>{html.escape(str(name))}: {row['flags']} × {html.escape(row['rule'])}, "
            f"{html.escape(row['meaning'])}</li>"
            for name, row in raised.iterrows()
        )
        lines = [_headline(self.scores), *_form_lines(self.forms)]
        parts = [f"<p><b>Item analysis</b>: {'<br>'.join(map(html.escape, lines))}</p>", shown]
        if "reason" in self.reliability.attrs:
            reason = html.escape(str(self.reliability.attrs["reason"]))
            parts.append(f"<p>No reliability: {reason}</p>")
        if "note" in self.reliability.attrs:
            note = html.escape(str(self.reliability.attrs["note"]))
            parts.append(f"<p>Reliability: {note}</p>")
        parts.append(f"<p>Flags:</p><ul>{rows}</ul>" if rows else "<p>No flags.</p>")
        parts += [f"<p>{html.escape(line)}</p>" for line in [self._not_judged()] if line]
        return "".join(parts)

    def _not_judged(self) -> str:
        """How many items were too small for the rules, in a line."""
        few = self.flags.loc[self.flags["flag"] == TOO_FEW, "limit"]
        if few.empty:
            return ""
        return f"not judged by every rule, with fewer than {few.iloc[0]:g} persons: {len(few)}"


@checked
def item_analysis(
    scores: pd.DataFrame,
    max_score: MaxScore = None,
    *,
    cells: pd.DataFrame | None = None,
    times: pd.DataFrame | None = None,
    answered_times: pd.DataFrame | None = None,
    shares: pd.DataFrame | None = None,
    choices: pd.DataFrame | None = None,
    question_types: pd.Series | None = None,
    learners: int | None = None,
    person: str = "session_id",
    item: str = "item_reference",
    key: Key | pd.Series | None = None,
    missing: Literal["pairwise", "listwise"] = "pairwise",
    rapid: Method = "nt10",
    cap: float | None = None,
    chance: Chance | None = None,
    rules: Iterable[FlagRule] | None = None,
    limits: Mapping[str, float] | None = None,
    minimum_n: int = MINIMUM_N,
    groups: int = 3,
    tail: float = 0.27,
    confidence: float = 0.95,
) -> ItemAnalysis:
    """Report on a test: items, reliability, distractors, times, effort and flags.

    Parameters
    ----------
    scores : DataFrame, persons × items
        Scores [points], NaN where missing.
    max_score : float, mapping or Series of item → float, optional
        Maximum of every item [points]; by default the highest score that occurs.
    cells : DataFrame, persons × items, optional
        Kind of every cell; tells omitted from wrong answers, and the forms: sets of items that
        persons were given. Without it everybody is taken to have been given every item.
    times : DataFrame, persons × items, optional
        Times on screen [s].
    answered_times : DataFrame, persons × items, optional
        Times of the answers [s], for thresholds of rapid guesses; by default `times`.
    shares : DataFrame, persons × items, optional
        Shares of the maximum (0 to 1), for the threshold rule ``"cump"``.
    choices : DataFrame, optional
        One row per choice, as `lrnanalysis.responses.lrn.choices` gives them.
    question_types : Series of item → str, optional
        Question types of every item.
    learners : int, optional
        Number of learners, where persons are sessions.
    person, item : str
        Columns of `choices` that hold the persons and the items.
    key : mapping or Series of item → option or options, optional
        Correct options, see `lrnanalysis.classical.distractors`. Without it no rule applies that
        compares distractors with the key.
    missing : {"pairwise", "listwise"}, default "pairwise"
        How incomplete persons enter discrimination and reliability, see
        `lrnanalysis.classical.item_statistics`.
    rapid, cap, chance
        Threshold of rapid guesses, see `lrnanalysis.effort.thresholds`.
    rules, limits
        Rules of the flags, or other limits for some of them, see `lrnanalysis.classical.flags`.
    minimum_n : int, default 30
        Fewest persons for a flag, see `lrnanalysis.classical.flags`.
    groups : int, default 3
        Score groups in the table of distractors.
    tail : float, default 0.27
        Share of the persons in the upper and in the lower group of ``upper_lower``.
    confidence : float, default 0.95
        Level of the intervals.

    Returns
    -------
    ItemAnalysis
        Its ``table`` is short enough to print, ``items`` has everything.

    Raises
    ------
    MeasureError
        The matrix is empty, or an argument is out of range.

    Examples
    --------
    >>> from lrnanalysis.measures.item_analysis import item_analysis
    >>> matrix = pd.DataFrame({"a": [1, 1, 0, 1], "b": [1, 0, 0, 1], "c": [1, 1, 0, 0]})
    >>> item_analysis(matrix).table[["n", "p"]].round(2)
       n     p
    a  4  0.75
    b  4  0.50
    c  4  0.50
    """
    if scores.empty:
        raise MeasureError("there are no scores to analyse: the matrix is empty")
    highest = _highest(scores, max_score)
    statistics = classical.item_statistics(
        scores,
        highest,
        cells=cells,
        missing="listwise" if missing == "listwise" else None,
        tail=tail,
        confidence=confidence,
    )
    reliability = _reliability(scores, highest, missing, confidence)
    forms = _forms(scores, highest, cells, missing)
    if len(forms) > 1:
        together = (
            f"there are {len(forms)} forms: reliability is that of a test of all items together, "
            "from pairs of items, and correlations are with its total and rest, or with shares of "
            'the points on the items given where missing is "available"; see forms for each form'
        )
        statistics.attrs["forms"] = reliability.attrs["forms"] = together
    options = pd.DataFrame()
    if choices is not None and len(choices):
        options = classical.distractors(
            choices, scores, key=key, max_score=highest, groups=groups, person=person, item=item
        )
    alpha = float(reliability["alpha"])
    wanted = list(classical.RULES.values() if rules is None else rules)
    flagged = classical.flags(
        statistics,
        None if options.empty else options,
        alpha=None if np.isnan(alpha) else alpha,
        rules=wanted,
        limits=limits,
        minimum_n=minimum_n,
    )
    times = None if times is None else times_above_0(times)
    answered = times if answered_times is None else answered_times
    extra = _times(times, answered, shares, statistics.index, rapid, cap, chance)
    types = pd.DataFrame(index=statistics.index)
    if question_types is not None:
        types["question_types"] = question_types.reindex(statistics.index).astype("str")
    table = pd.concat([types, statistics, extra], axis=1)
    table["flags"] = _flags_by_item(flagged, statistics.index)
    notes = {
        "measure": "item_analysis",
        "statistics": statistics.attrs,
        "rapid": str(rapid) if isinstance(rapid, str | float | int) else "given",
        "cap": cap,
    }
    return ItemAnalysis(
        with_attrs(table, notes),
        _summary(scores, highest, statistics, reliability, times, extra, learners, len(forms)),
        reliability,
        options,
        flagged,
        _rule_table(wanted, flagged, keyed=key is not None),
        forms,
    )


def _highest(scores: pd.DataFrame, max_score: MaxScore) -> pd.Series:
    """Maximum of every item [points]: the one given, else the highest that occurs."""
    seen = scores.max()
    seen = seen.where(seen > 0, 1.0)
    if max_score is None:
        return seen
    if isinstance(max_score, int | float):
        return pd.Series(float(max_score), index=seen.index)
    given = pd.Series(max_score)
    if not given.index.isin(seen.index).any():
        check_label_kinds("the index", given.index, seen.index, where=("max_score", "scores"))
        raise MeasureError(
            f"max_score has none of the {len(seen)} items of scores: index it by item"
        )
    known = given.reindex(seen.index).astype("float64")
    return known.where(known > 0, seen)


def _reliability(
    matrix: pd.DataFrame,
    highest: pd.Series,
    missing: Literal["pairwise", "listwise"],
    confidence: float,
) -> pd.Series:
    """The reliability, or why there is none: forms without a person in common, say."""
    try:
        found = classical.reliability(
            matrix, missing=missing, confidence=confidence, max_score=highest
        )
    except MeasureError as error:
        names = ["n", "items", "alpha", "alpha_low", "alpha_high", "sd", "sem"]
        none = pd.Series(np.nan, index=names, dtype="float64")
        return with_attrs(none, {"measure": "reliability", "reason": str(error)})
    if np.isnan(found["alpha"]):
        found.attrs["reason"] = found.attrs["reasons"]["alpha"]
    return found


def _forms(
    scores: pd.DataFrame,
    highest: pd.Series,
    cells: pd.DataFrame | None,
    missing: Literal["pairwise", "listwise"],
) -> pd.DataFrame:
    """The totals of the forms; empty where what was administered is not known."""
    administered = np.zeros(scores.shape, dtype=bool)
    if cells is not None:
        matched = matching_cells(cells, scores.index, scores.columns, what="cells")
        for number, (_, column) in enumerate(matched.items()):
            given = column.notna() & (column != "not administered")
            administered[:, number] = given.to_numpy(dtype=bool)
    return form_totals(scores, highest, forms_of(administered), missing=missing)


def _rule_table(wanted: list[FlagRule], flagged: pd.DataFrame, *, keyed: bool) -> pd.DataFrame:
    """One row per rule: what it says, how often it applied, whether it had to be skipped."""
    applied = flagged.attrs["rules"]
    counts = flagged["flag"].value_counts()
    keyless = [rule.table == "options" and rule.options != "all" and not keyed for rule in wanted]
    return pd.DataFrame(
        {
            "rule": [applied.get(rule.name, str(rule)) for rule in wanted],
            "meaning": [rule.meaning for rule in wanted],
            "flags": [int(counts.get(rule.name, 0)) for rule in wanted],
            "too_few": [flagged.attrs["too_few"].get(rule.name, 0) for rule in wanted],
            "skipped": [
                rule.name not in applied or without
                for rule, without in zip(wanted, keyless, strict=True)
            ],
        },
        index=pd.Index([rule.name for rule in wanted], name="name"),
    )


def _flags_by_item(flagged: pd.DataFrame, index: pd.Index) -> pd.Series:
    """The names of the flags of every item, its options' among them."""
    owner = [unit[0] if isinstance(unit, tuple) else unit for unit in flagged["item"]]
    names = flagged["flag"].groupby(owner).agg(lambda flags: ", ".join(flags.unique()))
    return names.reindex(index).fillna("").astype("str")


def _times(
    times: pd.DataFrame | None,
    answered: pd.DataFrame | None,
    shares: pd.DataFrame | None,
    index: pd.Index,
    rapid: Method,
    cap: float | None,
    chance: Chance | None,
) -> pd.DataFrame:
    """Times and shares of rapid guesses per item, where there are times."""
    if times is None or answered is None or not times.notna().any(axis=None):
        return pd.DataFrame(index=index)
    if not times.columns.isin(index).any():
        check_label_kinds("the items' index", times.columns, index, where=("times", "scores"))
        raise MeasureError(f"times has none of the {len(index)} items of scores: name them alike")
    found = effort.thresholds(answered, rapid, scores=shares, cap=cap, chance=chance)
    table = pd.DataFrame(
        {
            "time_n": times.count(),
            "time_mean": times.mean(),
            "time_median": times.median(),
            "time_geometric_mean": np.exp(np.log(times).mean()),
            "rapid_threshold": found["threshold"],
            "rapid_share": 1 - effort.response_time_fidelity(answered, found),
            "timed_answers": found["n"],
        }
    )
    return table.reindex(index)


def _summary(
    scores: pd.DataFrame,
    highest: pd.Series,
    statistics: pd.DataFrame,
    reliability: pd.Series,
    times: pd.DataFrame | None,
    extra: pd.DataFrame,
    learners: int | None,
    forms: int,
) -> pd.Series:
    """The test in one row."""
    # A total over different forms is none that anybody could reach.
    total = np.nan if forms > 1 else 1.0
    spent, share = np.nan, np.nan
    if times is not None and "rapid_share" in extra:
        spent = float(times.sum(axis=1, min_count=1).median()) / per_second("min")
        timed = extra["timed_answers"].where(extra["rapid_share"].notna())
        share = float((extra["rapid_share"] * timed).sum() / timed.sum()) if timed.sum() else np.nan
    values = {
        "persons": float(len(scores)),
        "learners": np.nan if learners is None else float(learners),
        "items": float(scores.shape[1]),
        "max_score": float(highest.sum()) * total,
        "complete": float(scores.notna().all(axis=1).sum()),
        "mean": float(statistics["mean"].sum(skipna=False)) * total,
        "sd": float(reliability["sd"]) * total,
        "sem": float(reliability["sem"]) * total,
        "alpha": float(reliability["alpha"]),
        "alpha_low": float(reliability["alpha_low"]),
        "alpha_high": float(reliability["alpha_high"]),
        "mean_p": float(statistics["p"].mean()),
        "mean_item_rest_r": float(statistics["item_rest_r"].mean()),
        "minutes": spent,
        "rapid_share": share,
        "forms": float(forms) if forms else np.nan,
    }
    return with_attrs(
        pd.Series(values, dtype="float64"),
        {"mean": "sum of the items' means; sd, sem and alpha as in reliability"}
        if forms < 2
        else {"total": "no total over different forms: each has its own, see forms"},
    )


def _headline(summary: pd.Series) -> str:
    """The test in one line."""
    persons = f"{summary['persons']:,.0f} persons"
    if summary["learners"] < summary["persons"]:
        persons = f"{summary['persons']:,.0f} sessions of {summary['learners']:,.0f} learners"
    size = f"{persons} × {summary['items']:.0f} items"
    alpha = (
        f"alpha {summary['alpha']:.2f} ({summary['alpha_low']:.2f} to {summary['alpha_high']:.2f})"
    )
    if summary["forms"] > 1:
        parts = [f"{size} in {summary['forms']:,.0f} forms"]
        if not np.isnan(summary["alpha"]):
            parts.append(f"{alpha} of all items together")
    else:
        parts = [
            size,
            f"mean {summary['mean']:.1f} of {summary['max_score']:g} points, "
            f"SD {summary['sd']:.1f}",
            f"{alpha}, SEM {summary['sem']:.1f}",
        ]
    return "; ".join(part.replace("nan", "–") for part in parts)


def _form_lines(forms: pd.DataFrame) -> list[str]:
    """A line per form, where there are several."""
    if len(forms) < 2:
        return []
    lines = [
        f"form {form}: {row['persons']:,} persons × {row['items']} items; "
        f"mean {row['mean']:.1f} of {row['max_score']:g} points, SD {row['sd']:.1f}; "
        f"alpha {row['alpha']:.2f}".replace("nan", "–")
        for form, row in forms.head(_FORMS).iterrows()
    ]
    if len(forms) > _FORMS:
        left = forms["persons"].iloc[_FORMS:].sum()
        lines.append(f"{len(forms) - _FORMS:,} more forms with {left:,} persons: see forms")
    return lines
