"""Priors of item parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures._checks import choice
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = ["Prior", "log_density", "read_priors"]

#: A prior: ("normal", mean, sd), ("lognormal", mean, sd) of the logarithm, ("beta", α, β).
Prior = tuple[str, float, float]

_KINDS = {
    "a": ("normal", "lognormal"),
    "d": ("normal",),
    "c": ("beta", "normal"),
    "u": ("beta", "normal"),
}

#: Priors of asymptotes unless others are given: data alone hardly ever separate them from slope
#: and difficulty. That of c has its mode at 0.2, as BILOG for five options; that of u at 0.94.
_DEFAULT: dict[str, Prior] = {"c": ("beta", 5.0, 17.0), "u": ("beta", 17.0, 2.0)}


def read_priors(
    priors: Mapping[str, Prior] | Literal["default"] | None, models: Sequence[ResponseModel]
) -> dict[str, Prior]:
    """The priors, checked; of the default ones those of parameters that the models have.

    Raises
    ------
    MeasureError
        If a parameter or a distribution is unknown, or its numbers are out of range.
    """
    if priors is None:
        return {}
    if isinstance(priors, str):
        choice("priors", priors, ("default",))
        used = {name for model in models for name in model.parameters}
        return {name: prior for name, prior in _DEFAULT.items() if name in used}
    found = {}
    for name, prior in priors.items():
        if name not in _KINDS:
            raise MeasureError(
                f"priors names {shown(name)}: a prior can be given to {list(_KINDS)}"
            )
        if len(prior) != 3 or prior[0] not in _KINDS[name]:
            raise MeasureError(
                f"the prior of {name} is {shown(prior)}: give one of {_KINDS[name]} with two "
                f"numbers, e.g. ({_KINDS[name][0]!r}, 5.0, 17.0)"
            )
        kind, one, two = prior
        if two <= 0 or (kind == "beta" and min(one, two) < 1):
            raise MeasureError(
                f"the prior of {name} is {shown(prior)}: an SD must be above 0, and the two "
                "numbers of a beta distribution at least 1"
            )
        found[name] = (kind, float(one), float(two))
    return found


def log_density(prior: Prior, value: float) -> tuple[float, float, float]:
    """Logarithm of a prior's density but for a constant, and its first two derivatives.

    Parameters
    ----------
    prior : Prior
        For c and u, "beta" is a density of c or u, "normal" one of its logit.
    value : float
        The free parameter: of c and u, the logit.

    Examples
    --------
    >>> log_density(("normal", 0.0, 2.0), 2.0)
    (-0.5, -0.5, -0.25)
    """
    kind, one, two = prior
    if kind == "normal":
        return -0.5 * ((value - one) / two) ** 2, -(value - one) / two**2, -1 / two**2
    if kind == "lognormal":
        if value <= 0:
            return -np.inf, 0.0, 0.0
        z = (np.log(value) - one) / two**2
        density = -(0.5 * z**2 * two**2 + np.log(value))
        return float(density), -(z + 1) / value, (z + 1 - 1 / two**2) / value**2
    p = 1 / (1 + np.exp(-value))
    density = (one - 1) * np.log(p) + (two - 1) * np.log1p(-p)
    slope = (one - 1) * (1 - p) - (two - 1) * p
    return float(density), slope, -(one + two - 2) * p * (1 - p)
