"""`fit`: an item response model from a matrix of scores."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray, choice
from lrnanalysis.measures.irt.answers import Answers
from lrnanalysis.measures.irt.checking import (
    check_conditional,
    check_items,
    check_linked,
    check_persons,
    check_weighed,
    read_models,
)
from lrnanalysis.measures.irt.cml import Conditional, maximise_conditional
from lrnanalysis.measures.irt.design import Design, design
from lrnanalysis.measures.irt.engines import build, loops
from lrnanalysis.measures.irt.fixing import Fixed, read_fixed
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.likelihood import Likelihood, Prior, check_priors
from lrnanalysis.measures.irt.maximising import maximise
from lrnanalysis.measures.irt.models import Layout
from lrnanalysis.measures.irt.reading import (
    Given,
    Responses,
    given_items,
    read_groups,
    read_responses,
    read_weights,
)
from lrnanalysis.measures.irt.result import Convergence, IRTModel
from lrnanalysis.measures.irt.starting import start
from lrnanalysis.measures.irt.stepping import inverse

__all__ = ["fit"]

Models = str | Mapping[Hashable, str] | Sequence[str] | pd.Series

#: Priors of asymptotes without any given: data alone hardly ever tell them from slope and
#: difficulty. That of c has its mode at 0.2, as BILOG for five options; that of u at 0.94.
_USUAL: dict[str, Prior] = {"c": ("beta", 5.0, 17.0), "u": ("beta", 17.0, 2.0)}


def fit(
    matrix: pd.DataFrame | FloatArray,
    model: Models = "2PL",
    *,
    group: object = None,
    weights: Sequence[float] | FloatArray | pd.Series | None = None,
    fixed: Fixed | None = None,
    priors: Mapping[str, Prior] | Literal["usual"] | None = "usual",
    method: Literal["MML", "CML"] = "MML",
    disconnected: Literal["raise", "equivalent"] = "raise",
    nodes: int | None = None,
    bound: float = 6.0,
    tolerance: float = 1e-5,
    max_iter: int = 500,
    min_persons: int | None = None,
    compiled: bool | None = None,
) -> IRTModel:
    """Fit an item response model by marginal maximum likelihood.

    Parameters
    ----------
    matrix : DataFrame or array, persons × items
        Whole scores [points], NaN where missing, by design or by chance. Scores of an item that
        nobody has are passed over: 1, 2, 4 act as 0, 1, 2.
    model : str, or mapping or Series of item → str, or sequence of str
        One model for all items, or one an item: "Rasch" (slope 1, free variance), "1PL" (one
        slope for all, variance 1), "2PL", "3PL", "4PL"; for partial credit "PCM" (slope 1, free
        variance), "RSM" (PCM with the same distances of thresholds for all items), "GPCM", "GRM";
        "NRM" for scores that name unordered answers.
    group : Series, array or list, optional
        Group of every person. The first to appear is the reference with mean 0 and variance 1
        (free with slopes of 1); the others' means and variances are estimated.
    weights : sequence of float, optional
        Persons that each row stands for, as for rows of distinct response patterns.
    fixed : DataFrame, fitted model, or mapping of item → mapping of parameter → value, optional
        Items' parameters that are not estimated, as anchors: ``a`` with ``b`` or ``d`` (``b1`` … or
        ``d1`` … for partial credit), ``c``, ``u``. Rows and columns may be missing. Anchored
        items set the scale, so that the reference group's mean and variance are estimated too.
    priors : mapping of parameter → prior, "usual" or None
        ``{"c": ("beta", 5, 17)}`` and the like: "a" ("lognormal" or "normal"), "d" ("normal"),
        "c" and "u" ("beta" of the probability, "normal" of its logit). "usual" has ("beta", 5,
        17) for c and ("beta", 17, 2) for u, nothing else; None has none. With priors, and so for
        3PL and 4PL items unless told otherwise, the estimates are the posterior's mode, with
        standard errors by its curvature; `loglik`, AIC and BIC are those of the likelihood there.
    method : "MML" or "CML"
        Marginal likelihood, or for the Rasch model the likelihood given the persons' sums.
    disconnected : "raise" or "equivalent"
        What to do where sets of items have no person in common: an error, or one scale for all
        because persons were assigned to the sets at random.
    nodes : int, optional
        Nodes of the uniform grid of ability; by default 61, and doubled while some persons are
        measured more narrowly, or some items are steeper, than the grid resolves.
    bound : float
        The grid reaches this far to both sides [latent SDs].
    tolerance : float
        Largest error of a parameter at the end [its standard error].
    max_iter : int
        Most evaluations of the likelihood over all persons.
    min_persons : int, optional
        Fewest persons that are accepted; by default 250 with a 3PL or 4PL item, else 3.
    compiled : bool, optional
        Whether to use numba; by default where it is installed. The numbers are the same.

    Returns
    -------
    IRTModel
        Items, abilities, information, fit. It warns and says ``converged = False`` where the
        maximum was not reached, or there is none: a slope that grows beyond 30 per latent SD with
        a likelihood that still rises, a parameter that the data leave open.

    Raises
    ------
    MeasureError
        If the data do not identify the model: constant items, fewer than two items, sets of
        items without a common person, too few persons, scores that are not whole, a model that
        does not go with an item's scores.

    Notes
    -----
    The likelihood of the Rasch, 1PL, 2PL, PCM, RSM, GPCM and NRM models is computed through one
    scalar a person, exactly (see `sumscore`); that of others over the nodes (see `nodal`).
    Standard errors are those of the exact observed information (Louis, T. A. (1982).
    doi:10.1111/j.2517-6161.1982.tb01203.x).

    References
    ----------
    Bock, R. D. & Aitkin, M. (1981). doi:10.1007/BF02293801
    Andersen, E. B. (1972). doi:10.1111/j.2517-6161.1972.tb00887.x (conditional likelihood)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> logit = rng.normal(size=(500, 1)) - np.linspace(-1.5, 1.5, 6)
    >>> right = rng.logistic(size=logit.shape) < logit
    >>> matrix = pd.DataFrame(1.0 * right, columns=list("uvwxyz"))
    >>> model = fit(matrix, "2PL")
    >>> model.converged, len(model.items), list(model.items.columns[:5])
    (True, 6, ['model', 'a', 'a_se', 'b', 'b_se'])
    """
    choice("method", method, ("MML", "CML"))
    choice("disconnected", disconnected, ("raise", "equivalent"))
    module = loops(compiled)
    responses = read_responses(matrix)
    models = read_models(model, responses)
    check_items(responses, models)
    groups, labels = read_groups(group, responses.persons)
    weight = read_weights(weights, responses.persons)
    given = given_items(responses.digits)
    layout = Layout(tuple(models), responses.steps)
    anchors = read_fixed(fixed, layout, responses.items)
    check_linked(given, responses.items, anchors, disconnected)
    persons = given.answering(weight)
    used = _priors(models, priors)
    check_persons(persons, models, used, min_persons)
    grid = Grid(61 if nodes is None else nodes, bound)
    counts = _counts(responses, weight)
    check_weighed(responses, counts)
    conditional = None
    if method == "CML":
        check_conditional(models)
        conditional, own = _conditional(
            responses, given, counts, weight, fixed, tolerance, max_iter
        )
        anchors = {item: {"d": float(d)} for item, d in enumerate(conditional.intercepts)}
    free = design(layout, responses.items, len(labels), anchors)
    engines, order = build(layout, responses, given, groups, len(labels), weight, grid, module)
    found = maximise(
        Likelihood(engines, free, used),
        start(free, counts, used),
        responses.items,
        tolerance=tolerance,
        max_iter=max_iter,
        refine=nodes is None,
    )
    like = found.like
    path = "one scalar a person" if layout.one_scalar and hasattr(engines[0], "forms") else "nodes"
    name = module.__name__.rpartition(".")[2]
    convergence = Convergence(
        found.converged,
        found.message,
        found.passes,
        float(np.abs(np.where(found.at_bound, 0.0, found.value.gradient)).max(initial=0.0)),
        found.distance,
        like.engines[0].grid.nodes,
        f"{path}, {'compiled' if name == 'compiled' else 'NumPy'}",
    )
    sizes = np.array([engine.total for engine in engines])
    answers = Answers(like.engines, order, responses.persons)
    covariance = _inverse(found.information, found.at_bound)
    latent = free.latent(found.free)
    result = IRTModel(
        found.value.loglik,
        convergence,
        persons,
        used,
        method,
        free,
        found.free,
        covariance,
        latent,
        responses.items,
        responses.scores,
        labels,
        sizes,
        like.engines[0].grid,
        answers,
    )
    if conditional is not None:
        result = _conditionally(result, conditional, own)
    if not result.converged:
        warnings.warn(
            f"the fit did not converge: {result.convergence.message}; its numbers are no "
            "estimates. See model.convergence",
            RuntimeWarning,
            stacklevel=2,
        )
    return result


def _priors(
    models: list[str], priors: Mapping[str, Prior] | Literal["usual"] | None
) -> dict[str, Prior]:
    """The priors that the models have a use for."""
    if priors is None:
        return {}
    if isinstance(priors, str):
        choice("priors", priors, ("usual",))
        wanted = {"c": {"3PL", "4PL"}, "u": {"4PL"}}
        return {name: prior for name, prior in _USUAL.items() if wanted[name] & set(models)}
    return check_priors(priors)


def _counts(responses: Responses, weights: FloatArray | None) -> list[FloatArray]:
    """Persons per score of every item."""
    if weights is None:
        return responses.counts
    return [
        np.bincount(digits, weights, m + 2)[1:].astype(np.float64)
        for digits, m in zip(responses.digits, responses.steps, strict=True)
    ]


def _inverse(information: FloatArray, held: np.ndarray) -> FloatArray:
    """Covariance; NaN for parameters held at a bound, and for all without a maximum."""
    found = np.full(information.shape, np.nan)
    kept = np.flatnonzero(~held)
    part = information[np.ix_(kept, kept)]
    covariance = inverse(part)
    if covariance is not None:
        found[np.ix_(kept, kept)] = covariance
    return found


def _conditional(
    responses: Responses,
    given: Given,
    counts: list[FloatArray],
    weights: FloatArray | None,
    fixed: Fixed | None,
    tolerance: float,
    max_iter: int,
) -> tuple[Conditional, Design]:
    """Items by conditional likelihood, and which of their parameters are free."""
    if fixed is not None:
        raise MeasureError('fixed goes with method="MML": conditional likelihood has no anchors')
    sums = np.maximum(responses.digits, 1).sum(axis=0, dtype=np.int64) - len(responses.digits)
    sets = []
    for number, items in enumerate(given.patterns):
        own = given.pattern == number
        if items.any():
            w = None if weights is None else weights[own]
            persons = np.bincount(sums[own], w, int(items.sum()) + 1).astype(np.float64)
            sets.append((items, persons))
    right = np.array([count[1] for count in counts])
    found = maximise_conditional(right, sets, tolerance=tolerance, max_iter=max_iter)
    k = len(right)
    layout = Layout(("Rasch",) * k, responses.steps)
    base, matrix = np.zeros(layout.total), np.zeros((layout.total, k - 1))
    base[layout.starts] = 1.0
    places = layout.starts + 1
    matrix[places[:-1], np.arange(k - 1)] = 1.0
    matrix[places[-1]] = -1.0
    names = [(item, "d") for item in range(k - 1)]
    return found, Design(layout, base, matrix, names, 1, [])


def _conditionally(marginal: IRTModel, found: Conditional, own: Design) -> IRTModel:
    """The model with conditional estimates; its latent distribution is that given the items."""
    free = own.matrix[own.layout.starts + 1]
    covariance = np.linalg.pinv(free.T @ found.information @ free, hermitian=True)
    convergence = Convergence(
        found.converged and marginal.converged,
        "converged"
        if found.converged
        else "no maximum: some items separate the persons perfectly, or max_iter is too low",
        found.iterations,
        found.gradient_norm,
        found.distance,
        marginal.convergence.nodes,
        "conditional likelihood",
    )
    sizes = marginal._group_sizes
    design_ = Design(own.layout, own.base, own.matrix, own.names, len(sizes), [])
    return IRTModel(
        found.loglik,
        convergence,
        marginal.persons,
        {},
        "CML",
        design_,
        found.intercepts[:-1],
        np.asarray(covariance, dtype=np.float64),
        marginal._latent,
        marginal._labels,
        marginal._scores,
        marginal._groups,
        sizes,
        marginal._grid,
        marginal._answers,
    )
