"""The fitted lognormal model: items, persons, residuals, and the time that a test takes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import special, stats

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import (
    FloatArray,
    as_floats,
    check_fraction,
    matching_cells,
    matrix_values,
    person_values,
    with_attrs,
)
from lrnanalysis.tables.times import usable_times

__all__ = ["LognormalModel", "screening_correlation"]


@dataclass(frozen=True, eq=False, repr=False)
class LognormalModel:
    """A fitted lognormal response-time model (van der Linden 2006).

    ln t_ij ~ N(β_i − τ_j, 1/α_i²) with τ ~ N(0, s²): β is an item's time intensity, α its time
    discrimination, τ a person's speed; high τ is fast, and the mean speed is 0.

    Attributes
    ----------
    items : DataFrame
        One row per item: ``alpha``, ``alpha_se`` [1 / ln time], ``beta``, ``beta_se`` [ln time],
        ``n`` (times), ``reason`` (why there are no estimates; missing where there are).
    persons : DataFrame
        One row per person: ``speed`` (posterior mean of τ), ``speed_se`` (posterior SD), ``n``
        (times). NaN for a person without a time. Both are empirical Bayes estimates: they shrink
        towards 0 where times are few, and treat the item parameters as known.
    variance, variance_se : float
        s², the variance of speed, with its standard error.
    loglik : float
        Log-likelihood of the log times (subtract the sum of ln t for that of the times).
    reliability : float
        1 − mean(speed_se²) / s², over persons with a time.
    observations : int
        Number of times used.
    converged : bool
        Whether the last change of the parameters was below the tolerance.
    iterations : int
        Number of iterations.
    se_rule : str
        How the standard errors were computed.
    """

    items: pd.DataFrame
    persons: pd.DataFrame
    variance: float
    variance_se: float
    loglik: float
    reliability: float
    observations: int
    converged: bool
    iterations: int
    se_rule: str
    _times: pd.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        fitted = int(self.items["beta"].notna().sum())
        without = len(self.items) - fitted
        left_out = f" ({without} left out)" if without else ""
        persons = int((self.persons["n"] > 0).sum())
        return (
            f"LognormalModel({fitted} items{left_out}, {persons} persons, "
            f"SD of speed {self.variance**0.5:.3f}, reliability {self.reliability:.3f}, "
            f"logLik {self.loglik:.1f}, {'converged' if self.converged else 'NOT converged'})"
        )

    @property
    def n_parameters(self) -> int:
        """Free parameters: α and β of every item, and the variance of speed."""
        return 2 * int(self.items["beta"].notna().sum()) + 1

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2 * self.n_parameters - 2 * self.loglik

    @property
    def bic(self) -> float:
        """Bayesian information criterion, with the number of persons."""
        persons = int((self.persons["n"] > 0).sum())
        return float(self.n_parameters * np.log(persons) - 2 * self.loglik)

    def residuals(self) -> pd.DataFrame:
        """Standardised residual of every log time.

        z = (ln t − β + τ) / √(1/α² − v), with τ and v the mean and variance of the person's
        speed. It equals the residual from the prediction by the person's *other* times (van der
        Linden, W. J., & Guo, F. (2008). Psychometrika, 73(3), 365-384), and is standard normal
        under the model: 5 % are beyond ±1.96. Negative values are faster than expected.

        Returns
        -------
        DataFrame, persons × items
            NaN where there is no time.

        Examples
        --------
        >>> from lrnanalysis.measures.response_time import lognormal
        >>> rng = np.random.default_rng(1)
        >>> logs = 3 - rng.normal(0, 0.3, (500, 1)) + rng.normal(0, 0.5, (500, 20))
        >>> z = lognormal(pd.DataFrame(np.exp(logs))).residuals()
        >>> bool(0.04 < (z.abs() > 1.96).to_numpy().mean() < 0.06)
        True
        """
        speed, variance = self._speeds()
        residuals = self._logs() - as_floats(self.items["beta"]) + speed[:, None]
        # The spread is positive: v is smaller than every 1/α² that went into it.
        spread = self._sigma2() - variance[:, None]
        with np.errstate(invalid="ignore"):
            residuals /= np.sqrt(spread)
        result = pd.DataFrame(
            residuals, index=self._times.index, columns=self._times.columns, copy=False
        )
        return with_attrs(
            result, {"rule": "standard normal under the model; negative is faster than expected"}
        )

    @checked
    def aberrant(self, z: float = 1.96, *, scores: pd.DataFrame | None = None) -> pd.DataFrame:
        """Times that are too fast or too slow for the person and the item.

        A correct answer that came too fast deserves a look: it may have been known in advance.

        Parameters
        ----------
        z : float, default 1.96
            Times with a residual beyond ±z are listed.
        scores : DataFrame, optional
            Scores of the same persons and items, persons × items, to list beside the times.

        Returns
        -------
        DataFrame
            One row per time: the person and the item (columns named as the axes of the matrix),
            ``time``, ``expected`` (median of the person's time on the item under the model),
            ``z``, ``kind`` ("fast" or "slow") and, with `scores`, ``score``. ``attrs`` holds the
            share flagged and the share expected under the model.

        Raises
        ------
        MeasureError
            If `z` is not above 0, or `scores` lacks a person or item.
        """
        if not z > 0:
            raise MeasureError(f"z is {z}: it must be above 0")
        residuals = self.residuals().to_numpy()
        timed = ~np.isnan(residuals)
        rows, columns = np.nonzero(timed & (np.abs(residuals) > z))
        speed, _ = self._speeds()
        found = residuals[rows, columns]
        person = self._times.index.name or "person"
        item = self._times.columns.name or "item_reference"
        result = pd.DataFrame(
            {
                person: self._times.index[rows],
                item: self._times.columns[columns],
                "time": matrix_values(self._times, finite=False)[rows, columns],
                "expected": np.exp(as_floats(self.items["beta"])[columns] - speed[rows]),
                "z": found,
                "kind": pd.array(np.where(found < 0, "fast", "slow"), dtype="str"),
            }
        )
        if scores is not None:
            cells = matching_cells(scores, self._times.index, self._times.columns, what="scores")
            result["score"] = matrix_values(cells, what="scores")[rows, columns]
        return with_attrs(
            result,
            {
                "z": z,
                "flagged_share": len(rows) / max(int(timed.sum()), 1),
                "expected_share": 2 * float(special.ndtr(-z)),
            },
        )

    def person_fit(self) -> pd.DataFrame:
        """Test whether each person worked at a constant speed.

        The sum of squared standardised deviations from the person's own weighted mean follows χ²
        with n − 1 degrees of freedom under the model, at any speed (like l^t of Marianti, S., et
        al. (2014). Journal of Educational and Behavioral Statistics, 39(6), 426-451, but with the
        speed estimated).

        Returns
        -------
        DataFrame
            One row per person: ``chi2``, ``df``, ``p``; NaN with fewer than two times.
        """
        a = 1 / self._sigma2()
        errors = self._logs() - as_floats(self.items["beta"])
        weights = np.where(np.isnan(errors), 0.0, a)
        errors = np.nan_to_num(errors)
        n = (weights > 0).sum(axis=1)
        total = weights.sum(axis=1)
        sums = (weights * errors).sum(axis=1)
        chi2 = np.full(len(n), np.nan)
        some = n > 1
        squares = (weights * errors**2).sum(axis=1)
        chi2[some] = squares[some] - sums[some] ** 2 / total[some]
        df = np.where(some, n - 1, np.nan)
        p = np.full(len(n), np.nan)
        p[some] = stats.chi2.sf(chi2[some], df[some])
        return pd.DataFrame({"chi2": chi2, "df": df, "p": p}, index=self._times.index)

    @checked
    def total_time(self, items: Iterable[Hashable] | None = None) -> pd.DataFrame:
        """Predicted total time of every person on a test.

        Parameters
        ----------
        items : iterable of item labels, optional
            Items of the test; by default all that were fitted.

        Returns
        -------
        DataFrame
            One row per person: ``mean`` and ``sd`` of the total time [unit of the times],
            including the uncertainty of the person's speed; NaN for a person without a time.

        Raises
        ------
        MeasureError
            If an item is unknown or has no estimates.
        """
        mean, variance = self._total(items)
        speed, uncertainty = self._speeds()
        first = np.exp(-speed + uncertainty / 2)
        second = np.exp(-2 * speed + 2 * uncertainty)
        spread = second * (variance + mean**2) - (first * mean) ** 2
        return pd.DataFrame({"mean": first * mean, "sd": np.sqrt(spread)}, index=self._times.index)

    @checked
    def time_limit(self, finish: float = 0.95, items: Iterable[Hashable] | None = None) -> float:
        """Time limit within which a share of the population finishes a test.

        The sum of lognormal times is approximated as lognormal with the same mean and variance
        (Fenton, L. F. (1960). IRE Transactions on Communications Systems, 8(1), 57-67), for people
        of the fitted distribution of speed who work as they would without a limit.

        Parameters
        ----------
        finish : float, default 0.95
            Share of the population that finishes.
        items : iterable of item labels, optional
            Items of the test; by default all that were fitted.

        Returns
        -------
        float
            Time limit [unit of the times].

        Raises
        ------
        MeasureError
            If `finish` is out of range, or an item is unknown or has no estimates.

        Examples
        --------
        >>> from lrnanalysis.measures.response_time import lognormal
        >>> rng = np.random.default_rng(1)
        >>> logs = 3 - rng.normal(0, 0.3, (500, 1)) + rng.normal(0, 0.5, (500, 20))
        >>> model = lognormal(pd.DataFrame(np.exp(logs)))
        >>> round(model.share_finishing(model.time_limit(0.9)), 6)
        0.9
        """
        check_fraction("finish", finish)
        centre, spread = self._log_total(items)
        return float(np.exp(centre + spread * special.ndtri(finish)))

    @checked
    def share_finishing(self, limit: float, items: Iterable[Hashable] | None = None) -> float:
        """Share of the population that finishes a test within a limit; see `time_limit`.

        Parameters
        ----------
        limit : float
            Time limit [unit of the times].
        items : iterable of item labels, optional
            Items of the test; by default all that were fitted.

        Returns
        -------
        float
            Share, 0 to 1.

        Raises
        ------
        MeasureError
            If `limit` is not above 0, or an item is unknown or has no estimates.
        """
        if not limit > 0:
            raise MeasureError(f"limit is {limit}: it must be above 0")
        centre, spread = self._log_total(items)
        return float(special.ndtr((np.log(limit) - centre) / spread))

    @checked
    def screening_correlation(
        self, ability: pd.Series, ability_reliability: float = 1.0
    ) -> pd.Series:
        """Correlation of speed with an ability or a score, for screening only.

        Parameters
        ----------
        ability : Series
            Ability or score of each person.
        ability_reliability : float, default 1
            Reliability of `ability`.

        Returns
        -------
        Series
            See `lrnanalysis.response_time.screening_correlation`.
        """
        return screening_correlation(
            self.persons["speed"],
            ability,
            speed_reliability=self.reliability,
            ability_reliability=ability_reliability,
        )

    def _logs(self) -> FloatArray:
        values, _ = usable_times(matrix_values(self._times, finite=False))
        logs = np.full(values.shape, np.nan)
        np.log(values, out=logs, where=values > 0)
        return logs

    def _sigma2(self) -> FloatArray:
        return 1 / as_floats(self.items["alpha"]) ** 2

    def _speeds(self) -> tuple[FloatArray, FloatArray]:
        return as_floats(self.persons["speed"]), as_floats(self.persons["speed_se"]) ** 2

    def _total(self, items: Iterable[Hashable] | None) -> tuple[float, float]:
        """Mean and variance of the total time of a person with speed 0."""
        if items is None:
            chosen = self.items[self.items["beta"].notna()]
        else:
            labels = list(items)
            unknown = [label for label in labels if label not in self.items.index]
            if unknown:
                raise MeasureError(f"items {unknown[:5]} are not in the model: see model.items")
            chosen = self.items.loc[labels]
            without = chosen.index[chosen["beta"].isna()]
            if len(without):
                raise MeasureError(
                    f"items {list(without[:5])} have no estimates: see the reasons in model.items"
                )
        beta, sigma2 = as_floats(chosen["beta"]), 1 / as_floats(chosen["alpha"]) ** 2
        means = np.exp(beta + sigma2 / 2)
        return float(means.sum()), float((means**2 * np.expm1(sigma2)).sum())

    def _log_total(self, items: Iterable[Hashable] | None) -> tuple[float, float]:
        """Mean and SD of the logarithm of the total time in the population."""
        mean, variance = self._total(items)
        own = float(np.log1p(variance / mean**2))
        return float(np.log(mean)) - own / 2, float(np.sqrt(own + self.variance))


@checked
def screening_correlation(
    speed: pd.Series,
    ability: pd.Series,
    *,
    speed_reliability: float = 1.0,
    ability_reliability: float = 1.0,
) -> pd.Series:
    """Correlation of speed with ability, observed and corrected for unreliability.

    A screening value from two separate models: r divided by the root of the product of the
    reliabilities. The joint model (van der Linden, W. J. (2007). Psychometrika, 72(3), 287-308)
    gives larger values where items differ in time discrimination.

    Parameters
    ----------
    speed, ability : Series
        One value per person; persons who have both are used.
    speed_reliability, ability_reliability : float, default 1
        Reliabilities, above 0 and at most 1.

    Returns
    -------
    Series
        ``r``, ``r_corrected`` (may exceed 1 by chance), ``n`` persons; ``attrs["label"]`` marks it
        as a screening value.

    Raises
    ------
    MeasureError
        If a reliability is out of range, or fewer than three persons have both values.

    Examples
    --------
    >>> speed, ability = pd.Series([0.1, 0.2, 0.3]), pd.Series([1.0, 3.0, 2.0])
    >>> screening_correlation(speed, ability, ability_reliability=0.64).round(3).tolist()
    [0.5, 0.625, 3.0]
    """
    for name, value in (
        ("speed_reliability", speed_reliability),
        ("ability_reliability", ability_reliability),
    ):
        if not 0 < value <= 1:
            raise MeasureError(f"{name} is {value}: it must be above 0 and at most 1")
    speed = pd.Series(speed)
    ability = person_values(ability, speed.index, what="ability")
    both = pd.DataFrame({"speed": speed, "ability": ability}).dropna()
    if len(both) < 3:
        raise MeasureError(
            f"{len(both)} persons have both values: at least 3 are needed, under the same labels"
        )
    r = float(np.corrcoef(as_floats(both["speed"]), as_floats(both["ability"]))[0, 1])
    corrected = r / float(np.sqrt(speed_reliability * ability_reliability))
    result = pd.Series(
        {"r": r, "r_corrected": corrected, "n": float(len(both))}, name="screening correlation"
    )
    return with_attrs(
        result,
        {
            "label": "screening value, not an estimate of the joint model's correlation",
            "rule": "r / √(reliability of speed × reliability of ability)",
        },
    )
