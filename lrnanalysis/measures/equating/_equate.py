"""Equating: the public function and its result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import FloatArray, check_fraction, choice, with_attrs
from lrnanalysis.measures.equating._curves import Scales, chained_curve, forms, synthetic_forms
from lrnanalysis.measures.equating._designs import (
    EquatingDesign,
    Method,
    Sample,
    Scores,
    Via,
    choose_via,
    read_sample,
)
from lrnanalysis.measures.equating._lines import (
    Line,
    chained_line,
    line,
    moments,
    synthetic_line,
)
from lrnanalysis.measures.equating._scores import equipercentile, read_scale

__all__ = ["Equating", "equate"]


@dataclass(frozen=True, eq=False)
class Equating:
    """Scores on form Y that are equivalent to scores on form X.

    Call it with scores to convert them.

    Attributes
    ----------
    table : DataFrame
        Index ``score``, the possible scores of X [points]; ``equated`` on Y's scale [points];
        with a bootstrap its standard error ``se`` and percentile interval ``low``, ``high``.
    slope, intercept : float
        Of the line, NaN for equipercentile equating.
    moments : DataFrame
        ``n``, ``mean``, ``sd``, ``skewness`` and ``kurtosis`` (3 for a normal distribution, over n)
        of "x", "y" and "x equated", each in the group that took the form.
    notes : dict
        Method, design and choices made.
    """

    table: pd.DataFrame
    slope: float
    intercept: float
    moments: pd.DataFrame
    notes: Mapping[str, object] = field(repr=False)

    def __call__(self, scores: Scores) -> pd.Series:
        """Convert scores of X.

        Between possible scores the table is interpolated; outside of them the result is NaN,
        save for a line.

        Returns
        -------
        Series
            ``equated`` [points], with the index of `scores` where they are a Series.
        """
        index = scores.index if isinstance(scores, pd.Series) else None
        values = np.asarray(scores, dtype=np.float64)
        if np.isnan(self.slope):
            found = np.interp(
                values,
                self.table.index.to_numpy(dtype=np.float64),
                self.table["equated"].to_numpy(),
                left=np.nan,
                right=np.nan,
            )
        else:
            found = self.slope * values + self.intercept
        return pd.Series(found, index=index, name="equated")


@checked
def equate(
    x: Scores,
    y: Scores,
    *,
    method: Method = "equipercentile",
    design: EquatingDesign | None = None,
    anchor_x: Scores | None = None,
    anchor_y: Scores | None = None,
    via: Via | None = None,
    internal: bool = True,
    weight: float | None = None,
    x_scores: Iterable[float] | None = None,
    y_scores: Iterable[float] | None = None,
    anchor_scores: Iterable[float] | None = None,
    smooth: int | None = None,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
) -> Equating:
    """Find the scores on form Y that are equivalent to each score on form X.

    Parameters
    ----------
    x, y : Series or sequence of float
        Total scores on the two forms [points], without the missing.
    method : "equipercentile", "linear" or "mean"
        Equal percentile ranks; equal standard scores; equal distances from the mean.
    design : "equivalent groups", "single group" or "NEAT", optional
        Two groups drawn alike; one group that took both forms (`x` and `y` belong to the same
        persons, by index where both are Series, else by position); two groups of any kind with a
        common anchor test. By default "NEAT" with anchors, else "equivalent groups".
    anchor_x, anchor_y : Series or sequence of float, optional
        Scores on the anchor test of the persons of `x` and of `y`.
    via : str, optional
        How a NEAT design uses the anchor. Equipercentile: "post-stratification" (frequency
        estimation, the default) or "chained". Linear and mean: "Tucker" (the default),
        "Levine" (observed scores), "Braun-Holland" or "chained".
    internal : bool
        Whether the anchor's items count in the totals; matters for "Levine" only.
    weight : float, optional
        Weight of X's group in the population for which the forms are equated ("chained" has none);
        by default its share of the persons.
    x_scores, y_scores, anchor_scores : iterable of float, optional
        Possible scores, such as ``range(41)``. By default from 0 (or the lowest score that occurs)
        to the highest that occurs, in the largest of the steps 1, .5, .25 and .1 that fits.
        Linear methods other than "Braun-Holland" need none.
    smooth : int, optional
        Smooth the distributions first, log-linearly, keeping that many moments of each score and,
        with an anchor, the covariance. Equipercentile and "Braun-Holland" only.
    bootstrap : int
        Samples for standard errors; 0 for none. At least 200 for standard errors, 1000 for
        intervals.
    seed : int
        Start of the bootstrap's random numbers.
    confidence : float
        Level of its intervals.

    Returns
    -------
    Equating
        Table of equivalents, line and moments.

    Raises
    ------
    MeasureError
        If scores are missing or do not fit their scale, arguments contradict each other, a form
        has no variance, or smoothing fails.

    References
    ----------
    Kolen, M. J. & Brennan, R. L. (2014). Test equating, scaling, and linking, ch. 2 to 5.
    Braun, H. I. & Holland, P. W. (1982). In Test equating, pp. 9–49.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.binomial(20, 0.6, 2000), rng.binomial(20, 0.5, 2000)
    >>> found = equate(x, y, x_scores=range(21), y_scores=range(21), smooth=3)
    >>> found.table["equated"].loc[[8, 12, 16]].round(1).tolist()
    [6.0, 9.9, 14.0]
    >>> equate(x, y, method="mean")([12]).round(1).tolist()
    [9.9]
    """
    choice("method", method, ("equipercentile", "linear", "mean"))
    check_fraction("confidence", confidence)
    sample, design = read_sample(x, y, anchor_x, anchor_y, design)
    via = choose_via(design, via, method)
    plan = _Plan(
        method=method,
        via=via,
        internal=internal,
        weight=_weight(sample, via, weight),
        smooth=smooth,
        scales=(np.empty(0), np.empty(0), np.empty(0)),
    )
    if smooth is not None and not plan.on_scales:
        raise MeasureError(
            f"smooth applies to equipercentile equating, not to method={shown(method)}"
        )
    if bootstrap < 0:
        raise MeasureError(f"bootstrap is {bootstrap}: it must be 0 or more")
    plan = replace(plan, scales=_scales(sample, plan, x_scores, y_scores, anchor_scores))
    equated, found = plan.convert(sample)
    table = pd.DataFrame({"equated": equated}, index=pd.Index(plan.scales[0], name="score"))
    if bootstrap:
        table = table.assign(**_bootstrap(sample, plan, bootstrap, seed, confidence))
    notes = {
        "measure": "equate",
        "method": method,
        "design": design,
        "via": via or "no anchor",
        "weight": plan.weight,
        "internal": internal,
        "smooth": smooth,
        "bootstrap": bootstrap,
        "seed": seed,
        "confidence": confidence,
    }
    return Equating(
        with_attrs(table, notes),
        found.slope if found else np.nan,
        found.intercept if found else np.nan,
        _describe(sample, plan, equated, found),
        notes,
    )


@dataclass(frozen=True)
class _Plan:
    """One way of equating, with the possible scores it works on."""

    method: Method
    via: Via | None
    internal: bool
    weight: float | None
    smooth: int | None
    scales: Scales

    @property
    def on_scales(self) -> bool:
        """Whether it needs the distributions of the scores, not only their moments."""
        return self.method == "equipercentile" or self.via == "Braun-Holland"

    def convert(self, sample: Sample) -> tuple[FloatArray, Line | None]:
        """Equivalents of X's possible scores, and the line they lie on, if any."""
        mean_only = self.method == "mean"
        if self.on_scales:
            if self.via == "chained":
                return chained_curve(sample, self.scales, self.smooth), None
            if self.weight is None:
                x, y = forms(sample, self.scales, self.smooth)
            else:
                x, y = synthetic_forms(sample, self.scales, self.smooth, self.weight)
            if self.method == "equipercentile":
                return equipercentile(x, y), None
            found = line(x.moments(), y.moments(), mean_only=mean_only)
        elif sample.anchors is None:
            x_moments, y_moments = (
                (float(scores.mean()), float(scores.std())) for scores in (sample.x, sample.y)
            )
            found = line(x_moments, y_moments, mean_only=mean_only)
        else:
            one = moments(sample.x, sample.anchors[0])
            two = moments(sample.y, sample.anchors[1])
            if self.weight is None:
                found = chained_line(one, two, mean_only=mean_only)
            else:
                found = synthetic_line(
                    one,
                    two,
                    self.weight,
                    levine=self.via == "Levine",
                    internal=self.internal,
                    mean_only=mean_only,
                )
        return found.slope * self.scales[0] + found.intercept, found


def _weight(sample: Sample, via: Via | None, weight: float | None) -> float | None:
    """Weight of X's group; None where there is no synthetic population."""
    if via is None or via == "chained":
        if weight is not None:
            raise MeasureError('weight requires an anchor test and via other than "chained"')
        return None
    if weight is None:
        return len(sample.x) / (len(sample.x) + len(sample.y))
    check_fraction("weight", weight, ends=True)
    return weight


def _scales(
    sample: Sample,
    plan: _Plan,
    x_scores: Iterable[float] | None,
    y_scores: Iterable[float] | None,
    anchor_scores: Iterable[float] | None,
) -> Scales:
    """Possible scores of X, Y and the anchor, as far as the plan needs them."""
    none: FloatArray = np.empty(0)
    if not plan.on_scales:
        if x_scores is None:
            return np.unique(sample.x), none, none
        return np.asarray(list(x_scores), dtype=np.float64), none, none
    anchor = none
    if sample.anchors is not None:
        anchor = read_scale(np.concatenate(sample.anchors), anchor_scores, "anchor")
    return (
        read_scale(sample.x, x_scores, "x"),
        read_scale(sample.y, y_scores, "y"),
        anchor,
    )


def _bootstrap(
    sample: Sample, plan: _Plan, number: int, seed: int, confidence: float
) -> dict[str, FloatArray]:
    """Standard errors and percentile intervals of the equivalents."""
    rng = np.random.default_rng(seed)
    drawn = np.array([plan.convert(sample.drawn(rng))[0] for _ in range(number)])
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    se = drawn.std(axis=0, ddof=1) if number > 1 else np.full(drawn.shape[1], np.nan)
    return {"se": se, "low": low, "high": high}


def _describe(sample: Sample, plan: _Plan, equated: FloatArray, found: Line | None) -> pd.DataFrame:
    """Moments of the forms and of the equated scores."""
    if found is None:
        converted = np.interp(sample.x, plan.scales[0], equated)
    else:
        converted = found.slope * sample.x + found.intercept
    rows = {
        name: {
            "n": float(len(scores)),
            "mean": scores.mean(),
            "sd": scores.std(),
            "skewness": stats.skew(scores),
            "kurtosis": stats.kurtosis(scores, fisher=False),
        }
        for name, scores in (("x", sample.x), ("y", sample.y), ("x equated", converted))
    }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"n": "int64"})
