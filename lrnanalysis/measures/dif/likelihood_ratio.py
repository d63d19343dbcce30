"""Likelihood-ratio tests of differential item functioning with item response models."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import BoolArray, FloatArray, PersonValues, check_fraction
from lrnanalysis.measures.dif._design import DifDesign, read_design
from lrnanalysis.measures.dif._report import (
    describe,
    groups_without_scores,
    not_comparable,
    text,
)
from lrnanalysis.measures.dif._tests import Adjustment, adjust_p, purified
from lrnanalysis.measures.irt import IRTModel, fit
from lrnanalysis.warnings import ConvergenceWarning

__all__ = ["likelihood_ratio"]

_NAMES = (
    "chi2",
    "df",
    "a_difference",
    "b_difference",
    "expected_difference",
    "expected_distance",
    "converged",
)


@checked
def likelihood_ratio(
    matrix: pd.DataFrame,
    group: PersonValues,
    *,
    model: str | Mapping[Hashable, str] = "2PL",
    reference: Hashable | None = None,
    focal: Hashable | None = None,
    anchor: Iterable[Hashable] | None = None,
    purify: bool = False,
    max_rounds: int = 10,
    adjust: Adjustment = "BH",
    level: float = 0.05,
    **options: Any,
) -> pd.DataFrame:
    """Test whether an item response model needs parameters of its own for each group.

    For every item two models are fitted: one with the same parameters in all groups, and one in
    which the item has its own in each. Twice the difference of their log-likelihoods is
    chi-square distributed without DIF. Means and variances of the focal groups' abilities are
    estimated in both, so that a difference in ability is not taken for DIF; the anchor items, by
    default all others, hold the scale together.

    Parameters
    ----------
    matrix : DataFrame, persons × items
        Whole scores [points], NaN where missing; any missingness.
    group, reference, focal, adjust, level
        As for `mantel_haenszel`. More than two groups are tested at once.
    model : str, or mapping of item → str
        As for `lrnanalysis.irt.fit`. What is free between the groups is what the model estimates
        an item: the difficulty of Rasch and 1PL items, also the slope of 2PL ones.
    anchor : iterable of item labels, optional
        Items known to be fair. All others have parameters of their own in each group while one is
        tested. By default every other item is an anchor, so that an item with large DIF makes
        others look turned the other way: see `purify`.
    purify : bool
        Give flagged items (unadjusted p below `level`) parameters of their own while others are
        tested, and repeat until the same items are flagged twice, at most `max_rounds` times.
    max_rounds : int
        See `purify`.
    **options
        Further arguments of `lrnanalysis.irt.fit`.

    Returns
    -------
    DataFrame
        One row per item: ``n_reference``, ``n_focal`` persons with a score; ``chi2``, ``df``,
        ``p``, ``p_adjusted``, ``flagged``; and for two groups ``a_difference`` and
        ``b_difference``, focal less reference (mean of the thresholds for partial credit; a
        positive one is a harder item for the focal group); ``expected_difference``, the expected
        score of focal persons less that of reference persons of equal ability [points], averaged
        over the focal group, and ``expected_distance`` the same of its absolute value, which
        also shows DIF that crosses; ``favours`` the group that does better where the test is
        significant (unadjusted); ``converged`` whether both fits did; ``anchor``; ``reason`` why
        values are missing or a fit did not converge.

        Missing values: items that only one group took or on which a group lacks a score that
        another has, and an item that is the only anchor. An item that some of several groups did
        not take is tested between the others, which ``df`` counts.

    Raises
    ------
    MeasureError
        As `mantel_haenszel` and `lrnanalysis.irt.fit`, whose messages name an item by its label,
        and one with parameters of its own as, for instance, 'i3 in group f'.

    Notes
    -----
    With priors (3PL, 4PL) the maxima are those of the posterior, and chi2 is approximate.

    References
    ----------
    Thissen, D., Steinberg, L. & Wainer, H. (1993). In Differential item functioning, pp. 67–113.
    Meade, A. W. (2010). doi:10.1037/a0018966 (expected score differences)
    Woods, C. M. (2009). doi:10.1177/0146621607314044 (anchors)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> logit = rng.normal(size=(1000, 1)) - np.linspace(-1, 1, 6)
    >>> group = pd.Series(np.where(np.arange(1000) % 2, "b", "a"))
    >>> logit[group == "b", 0] -= 1.0
    >>> scores = pd.DataFrame((logit + rng.logistic(size=logit.shape) > 0).astype(int))
    >>> found = likelihood_ratio(scores, group, model="Rasch", purify=True)
    >>> found[["df", "b_difference", "favours", "flagged"]].round(1).head(2)
       df  b_difference favours  flagged
    0   1           1.1       a     True
    1   1          -0.2     NaN    False
    """
    check_fraction("level", level)
    design = read_design(
        matrix,
        group,
        reference=reference,
        focal=focal,
        match=None,
        strata=None,
        anchor=anchor,
        purify=purify,
    )
    study = _Study.of(design, model, options)
    design, purification = purified(
        design, lambda trial: study.tests(trial.anchor)[0]["p"] < level, purify, max_rounds
    )
    found, reasons = study.tests(design.anchor)
    p = found.pop("p")
    adjusted = adjust_p(p if anchor is None else np.where(design.anchor, np.nan, p), adjust)
    gap = found["expected_difference"]
    better = np.where(gap > 0, design.names[1], design.names[0])
    n = study.persons
    columns: dict[str, object] = {
        "n_reference": n[:, 0],
        "n_focal": n[:, 1:].sum(axis=1),
        "chi2": found["chi2"],
        "df": pd.Series(found["df"]).astype("Int64").array,
        "p": p,
        "p_adjusted": adjusted,
        "flagged": adjusted < level,
        **{name: found[name] for name in _NAMES[2:6]},
        "favours": text(better, (p < level) & ~np.isnan(gap)),
        "converged": found["converged"] == 1,
    }
    table = describe(
        design,
        columns,
        reasons=reasons,
        measure="likelihood_ratio",
        purification=purification,
        model=model if isinstance(model, str) else {str(k): v for k, v in model.items()},
        adjust=adjust or "none",
        level=level,
    )
    table.attrs["match"] = "ability"
    return table


@dataclass(frozen=True, eq=False)
class _Study:
    """The data, ready to be fitted with some items split by group.

    Attributes
    ----------
    values : array, shape (items, persons)
        Scores, the reference group's persons first.
    code : array of int, shape (persons,)
        Group.
    groups : tuple of str
        Names of the groups.
    labels : list
        The item's label, by which messages of `fit` name it.
    versions : list of list of str
        The item's label in each group where it is split.
    models : list of str
        Model per item.
    persons : array of int, shape (items, groups)
        Persons with a score.
    untestable : list of str
        Why an item cannot be split; empty where it can: at least two groups have it, and all that
        do have all of its scores.
    options : mapping
        Arguments of `fit`.
    """

    values: FloatArray
    code: np.ndarray
    groups: tuple[str, ...]
    labels: list[Hashable]
    versions: list[list[str]]
    models: list[str]
    persons: np.ndarray
    untestable: list[str]
    options: Mapping[str, Any]

    @classmethod
    def of(
        cls, design: DifDesign, model: str | Mapping[Hashable, str], options: Mapping[str, Any]
    ) -> _Study:
        """Read it from a design."""
        taken = {"group", "weights", "method"} & set(options)
        if taken:
            raise MeasureError(f"{taken.pop()} cannot be passed: the fits of the groups set it")
        if "fixed" in options:
            raise MeasureError("fixed cannot be passed: name the items that are fair with anchor=")
        items = design.scored.items
        if isinstance(model, str):
            models = [model] * len(items)
        else:
            lost = [item for item in items if item not in model]
            if lost:
                raise MeasureError(f"model has no entry for item {shown(lost[0])}: add one")
            models = [model[item] for item in items]
        # `fit` takes the first group to appear for the reference.
        order = np.argsort(design.code, kind="stable")
        values, code = design.scored.values[:, order], design.code[order]
        names = design.names
        persons = np.zeros((len(items), len(names)), dtype=np.int64)
        untestable = []
        for item, row in enumerate(values):
            known = ~np.isnan(row)
            persons[item] = np.bincount(code[known], minlength=len(names))
            scores = [np.unique(row[known & (code == g)]) for g in np.flatnonzero(persons[item])]
            reason = not_comparable(persons[item], 2, names)
            if not reason and any(not np.array_equal(one, scores[0]) for one in scores[1:]):
                reason = (
                    "a group lacks a score that another has: it cannot have parameters of its own"
                )
            untestable.append(reason)
        labels = list(items)
        return cls(
            values,
            code,
            names,
            labels,
            _versions(labels, names),
            models,
            persons,
            untestable,
            options,
        )

    def tests(self, anchor: BoolArray) -> tuple[dict[str, FloatArray], list[str]]:
        """Statistics of every item, with all items split that are not anchors; why some lack."""
        testable = np.array([not reason for reason in self.untestable])
        split = ~anchor & testable
        shared = self.fitted(split)
        found = {name: np.full(len(anchor), np.nan) for name in (*_NAMES, "p")}
        reasons = list(self.untestable)
        for item in np.flatnonzero(testable):
            other = split.copy()
            other[item] = ~split[item]
            if other.all():
                reasons[item] = "the only anchor: without it nothing ties the groups together"
                continue
            free, tied = shared, self.fitted(other)
            if not split[item]:
                free, tied = tied, free
            df = free.n_parameters - tied.n_parameters
            chi2 = max(2 * (free.loglik - tied.loglik), 0.0)
            found["chi2"][item], found["df"][item] = chi2, df
            found["p"][item] = stats.chi2.sf(chi2, df)
            found["converged"][item] = free.converged and tied.converged
            failed = [one.convergence.message for one in (tied, free) if not one.converged]
            absent = groups_without_scores(self.persons[item], self.groups)
            reasons[item] = "; ".join(filter(None, [absent, *failed[:1]]))
            if len(self.groups) == 2:
                for name, value in _effects(free, self.versions[item]).items():
                    found[name][item] = value
            if failed:
                # Differences of parameters on their way to infinity tell nothing.
                found["a_difference"][item] = found["b_difference"][item] = np.nan
        return found, reasons

    def fitted(self, split: BoolArray) -> IRTModel:
        """The model in which some items have parameters of their own in each group."""
        rows: dict[Hashable, FloatArray] = {}
        models: dict[Hashable, str] = {}
        for item, row in enumerate(self.values):
            parts = {self.labels[item]: row}
            if split[item]:
                parts = {
                    self.versions[item][g]: np.where(self.code == g, row, np.nan)
                    for g in np.flatnonzero(self.persons[item])
                }
            rows |= parts
            models |= dict.fromkeys(parts, self.models[item])
        columns = pd.Index(list(rows), tupleize_cols=False)
        frame = pd.DataFrame(np.array(list(rows.values())).T, columns=columns)
        with warnings.catch_warnings():
            # The column ``converged`` reports it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return fit(frame, models, group=np.array(self.groups)[self.code], **self.options)


def _versions(labels: list[Hashable], groups: tuple[str, ...]) -> list[list[str]]:
    """Labels of the items' versions in each group, none of which is the label of an item."""
    texts = [str(label) for label in labels]
    if len(set(texts)) < len(texts):
        texts = [repr(label) for label in labels]
    mark = "in group"
    while any(f" {mark} " in label for label in texts):
        mark = f"({mark})"
    return [[f"{label} {mark} {group}" for group in groups] for label in texts]


def _effects(free: IRTModel, names: list[str]) -> dict[str, float]:
    """Differences between the two groups' versions of a split item."""
    own = free.items.loc[names]
    locations = [name for name in own.columns if name[0] == "b" and not name.endswith("_se")]
    mean, variance = free.groups[["mean", "variance"]].to_numpy(dtype=np.float64)[1]
    points = np.linspace(-4, 4, 81)
    weight = stats.norm.pdf(points) / stats.norm.pdf(points).sum()
    expected = free.expected_scores(mean + np.sqrt(variance) * points)
    gap = (expected[names[1]] - expected[names[0]]).to_numpy()
    slopes = own["a"].astype(float) if "a" in own.columns else pd.Series(np.nan, index=names)
    steps = own[locations].astype(float).mean(axis=1)
    return {
        "a_difference": float(slopes[names[1]] - slopes[names[0]]),
        "b_difference": float(steps[names[1]] - steps[names[0]]) if locations else np.nan,
        "expected_difference": float(weight @ gap),
        "expected_distance": float(weight @ np.abs(gap)),
    }
