"""Abilities of persons: posterior mean and mode, maximum and weighted likelihood; reliability."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import FloatArray, choice
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses
from lrnanalysis.measures.irt.results.ability_estimators import AbilityScore, solve
from lrnanalysis.measures.irt.results.curves import fisher_information
from lrnanalysis.measures.irt.results.estimates import Estimates

__all__ = ["abilities", "posterior_means", "posterior_modes", "reliability"]


def abilities(
    estimates: Estimates, persons: PersonResponses, method: str, bound: float, information: str
) -> pd.DataFrame:
    """See `IRTModel.abilities`."""
    choice("method", method, ("EAP", "MAP", "ML", "WLE"))
    choice("information", information, ("expected", "observed"))
    if not bound > 0:
        raise MeasureError(f"bound is {shown(bound)}: it must be above 0")
    if method == "EAP":
        found = posterior_means(estimates, persons)
    else:
        observed = information == "observed"
        found = posterior_modes(estimates, persons, method, bound, observed=observed)
    ability, error = persons.in_matrix_order(np.stack(found))
    table = pd.DataFrame({"ability": ability, "se": error}, index=persons.persons)
    table.attrs = {"method": method}
    if method != "EAP":
        table.attrs["information"] = information
    return table


def posterior_means(
    estimates: Estimates, persons: PersonResponses
) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and SD of ability, of the persons in turn."""
    means, errors = [], []
    for backend, (mean, sd), own in zip(
        persons.backends, estimates.latent, estimates.group_parameters, strict=True
    ):
        part = backend.moments(own)
        means.append(mean + sd * part.mean)
        errors.append(abs(sd) * np.sqrt(np.maximum(part.variance, 0.0)))
    return np.concatenate(means), np.concatenate(errors)


def posterior_modes(
    estimates: Estimates,
    persons: PersonResponses,
    method: str = "MAP",
    bound: float = 20.0,
    *,
    observed: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """MAP, ML or WLE and standard errors, of the persons in turn.

    With `observed` the errors are by the observed information, else by the expected one.
    """
    begin, _ = posterior_means(estimates, persons)
    ability, curvature = np.empty((2, len(begin)))
    answered = np.ones(len(begin), dtype=bool)
    for group, place, scores, _ in persons.chunks():
        prior = estimates.latent[group] if method == "MAP" else None
        target = AbilityScore(
            estimates.layout, estimates.parameter_vector, scores, prior, method == "WLE"
        )
        ability[place], curvature[place] = solve(target, begin[place], bound)
        if observed:
            at = np.where(np.isfinite(ability[place]), ability[place], begin[place])
            curvature[place] = target.observed_information(at)
        answered[place] = ~np.isnan(scores).all(axis=1)
    # Next to a guessed answer the observed information may be negative: then there is no error.
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(np.isfinite(ability), 1 / np.sqrt(curvature), np.nan)
    if method == "WLE":
        ability = np.clip(ability, -bound, bound)
    if method != "MAP":
        ability[~answered], error[~answered] = np.nan, np.nan
    return ability, error


def reliability(estimates: Estimates, persons: PersonResponses) -> pd.Series:
    """See `IRTModel.reliability`."""
    shares = estimates.group_sizes / estimates.group_sizes.sum()
    means, sds = estimates.latent.T
    variance = float(shares @ (sds**2 + means**2) - (shares @ means) ** 2)
    grid, left = estimates.grid, 0.0
    for share, (mean, sd) in zip(shares, estimates.latent, strict=True):
        total = fisher_information(estimates, mean + sd * grid.points).sum(axis=0)
        left += share * float(np.exp(grid.log_weights) @ (1 / (total * variance + 1)))
    # Where all have the same ability there is nothing to tell apart.
    marginal = 1 - left if variance > 0 else np.nan
    ability, error = posterior_means(estimates, persons)
    weights = persons.weights
    empirical = np.nan
    if weights.any():
        between = float(np.cov(ability, aweights=weights, ddof=0))
        within = float(np.average(error**2, weights=weights))
        empirical = between / (between + within) if between + within > 0 else np.nan
    return pd.Series({"marginal": marginal, "empirical": empirical}, name="reliability")
