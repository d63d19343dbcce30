"""`fit`: an item response model from a matrix of scores."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import linalg

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import BoolArray, FloatArray, choice
from lrnanalysis.measures.irt.data.response_matrix import (
    AdministeredItems,
    ResponseMatrix,
    administered_items,
    read_groups,
    read_responses,
    read_weights,
)
from lrnanalysis.measures.irt.estimation.anchors import Fixed, known_scores, read_fixed
from lrnanalysis.measures.irt.estimation.conditional import (
    ConditionalMaximum,
    maximise_conditional,
)
from lrnanalysis.measures.irt.estimation.constraints import Constraints, constrain
from lrnanalysis.measures.irt.estimation.identifiability import (
    check_conditional,
    check_counts,
    check_groups,
    check_linked,
    check_persons,
    read_models,
    read_names,
)
from lrnanalysis.measures.irt.estimation.lbfgs import inverse
from lrnanalysis.measures.irt.estimation.marginal_likelihood import MarginalLikelihood
from lrnanalysis.measures.irt.estimation.newton import maximise
from lrnanalysis.measures.irt.estimation.priors import Prior, read_priors
from lrnanalysis.measures.irt.estimation.start_values import start_values
from lrnanalysis.measures.irt.likelihood import kernels_numpy
from lrnanalysis.measures.irt.likelihood.backends import build_backends, select_kernels
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature
from lrnanalysis.measures.irt.model import IRTModel
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel
from lrnanalysis.measures.irt.results.estimates import Convergence, Estimates, edges
from lrnanalysis.warnings import ConvergenceWarning, RuleWarning, warn

__all__ = ["fit"]

Models = str | Mapping[Hashable, str] | Sequence[str] | pd.Series


def fit(
    matrix: pd.DataFrame | FloatArray,
    model: Models = "2PL",
    *,
    group: object = None,
    weights: Sequence[float] | FloatArray | pd.Series | None = None,
    fixed: Fixed | None = None,
    priors: Mapping[str, Prior] | Literal["default"] | None = "default",
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
        Integer scores [points], NaN where missing, by design or by chance. Scores of an item that
        nobody has are skipped: 1, 2, 4 act as 0, 1, 2.
    model : str, or mapping or Series of item → str, or sequence of str
        One model for all items, or one per item: "Rasch" (slope 1, free variance), "1PL" (one
        slope for all, variance 1), "2PL", "3PL", "4PL"; for partial credit "PCM" (slope 1, free
        variance), "RSM" (PCM with the same distances of thresholds for all items), "GPCM", "GRM";
        "NRM" for scores that name unordered answers.
    group : Series, array or list, optional
        Group of every person. The first to appear is the reference with mean 0 and variance 1
        (free with slopes of 1); the others' means and variances are estimated.
    weights : sequence of float, optional
        Number of persons that each row represents, e.g. where rows are distinct response
        patterns.
    fixed : DataFrame, fitted model, or mapping of item → mapping of parameter → value, optional
        Items' parameters that are not estimated, as anchors: ``a`` with ``b`` or ``d`` (``b1`` … or
        ``d1`` … for partial credit), ``c``, ``u``. Rows and columns may be missing. Anchored
        items set the scale, so that the reference group's mean and variance are estimated too.
    priors : mapping of parameter → prior, "default" or None
        ``{"c": ("beta", 5, 17)}`` and the like: "a" ("lognormal" or "normal"), "d" ("normal"),
        "c" and "u" ("beta" of the probability, "normal" of its logit). "default" is ("beta", 5,
        17) for c and ("beta", 17, 2) for u, nothing else; None means none. With priors, and so for
        3PL and 4PL items by default, the estimates are the posterior's mode, with standard errors
        from its curvature; `loglik`, AIC and BIC are those of the likelihood there.
    method : "MML" or "CML"
        Marginal likelihood, or for the Rasch model the likelihood given the persons' sums.
    disconnected : "raise" or "equivalent"
        What to do where groups of items have no person in common: an error, or one scale for all
        because persons were assigned to the groups at random.
    nodes : int, optional
        Nodes of the uniform grid of ability; by default 61, and doubled while some persons are
        measured more precisely, or some items are steeper, than the grid resolves.
    bound : float
        The grid extends this far to both sides [latent SDs].
    tolerance : float
        Largest error of a parameter at the end [its standard error].
    max_iter : int
        Maximum number of evaluations of the likelihood over all persons.
    min_persons : int, optional
        Minimum number of persons; by default 250 with a 3PL or 4PL item, else 3.
    compiled : bool, optional
        Whether to use numba; by default where it is installed. The numbers are the same.

    Returns
    -------
    IRTModel
        Items, abilities, information, fit.

    Warns
    -----
    ConvergenceWarning
        Where the maximum was not reached, or there is none: a slope or a latent SD
        that grows without end while the likelihood rises, a parameter that the data do not
        determine. The model's ``converged`` is then False.
    RuleWarning
        Where a parameter ended at the edge of the possible: c at 0, u at 1, a variance of ability
        at 0. It has no standard error, and those of the other parameters are conditional on it.
        Where fewer than three persons are scored by fixed parameters, whose mean and variance
        cannot be estimated.

    Raises
    ------
    MeasureError
        If the data do not identify the model: constant items, fewer than two items, groups of
        items without a common person, too few persons, scores that are not integers, a model that
        does not fit an item's number of scores.

    Notes
    -----
    The likelihood of the Rasch, 1PL, 2PL, PCM, RSM, GPCM and NRM models is computed through one
    scalar per person, exactly (see `sum_score_likelihood`); that of others over the nodes (see
    `quadrature_likelihood`).
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
    kernels = select_kernels(compiled)
    responses = read_responses(matrix)
    names = read_names(model, responses.items)
    # Of these items nothing is estimated: they need not have shown all of their scores.
    known = known_scores(fixed, names, responses.items)
    responses = responses.with_scores(known)
    models = read_models(names, responses, known)
    groups, labels = read_groups(group, responses.persons)
    weight = read_weights(weights, responses.persons)
    given = administered_items(responses.digits)
    layout = Layout(tuple(models))
    anchors = read_fixed(fixed, layout, responses.items)
    check_linked(given, responses.items, anchors, disconnected)
    sizes = given.group_sizes(groups, len(labels), weight)
    persons = float(sizes.sum())
    used = read_priors(priors, models)
    check_persons(
        persons, [own for item, own in enumerate(models) if item not in known], used, min_persons
    )
    check_groups(sizes, groups, labels)
    counts = _counts(responses, weight)
    check_counts(responses, counts, known)
    conditional = None
    if method == "CML":
        check_conditional(models)
        if fixed is not None:
            raise MeasureError('fixed needs method="MML": conditional likelihood has no anchors')
        conditional = maximise_conditional(
            np.array([count[1] for count in counts]),
            _persons_by_sum(responses, given, weight),
            tolerance=tolerance,
            max_iter=max_iter,
        )
        anchors = {item: {"d": float(d)} for item, d in enumerate(conditional.intercepts)}
    constraints = constrain(layout, responses.items, len(labels), anchors)
    if not constraints.names and persons < ResponseModel.min_persons:
        # So few have no distribution: they are scored on the scale of the fixed parameters.
        constraints = replace(constraints, moments=[])
        warn(
            f"{persons:g} {'person' if persons == 1 else 'persons'} with a score: too few for a "
            "mean and a variance of ability, which are taken to be 0 and 1. EAP and MAP abilities "
            "depend on them, ML and WLE do not",
            RuleWarning,
        )
    grid = Quadrature(61 if nodes is None else nodes, bound)
    backends, order = build_backends(
        layout, responses, given, groups, len(labels), weight, grid, kernels
    )
    found = maximise(
        MarginalLikelihood(backends, constraints, used),
        start_values(constraints, counts, used),
        responses.items,
        labels,
        tolerance=tolerance,
        max_iter=max_iter,
        refine=nodes is None,
    )
    like = found.like
    loops = "NumPy" if kernels is kernels_numpy else "compiled"
    estimates = Estimates(
        loglik=found.value.loglik,
        convergence=Convergence(
            found.converged,
            found.message,
            found.passes,
            float(np.abs(np.where(found.at_bound, 0.0, found.value.gradient)).max(initial=0.0)),
            found.distance,
            like.grid.nodes,
            f"{backends[0].path}, {loops}",
        ),
        persons=persons,
        priors=used,
        method=method,
        constraints=constraints,
        free=found.free,
        covariance=_covariance(found.information, found.at_bound | edges(constraints, found.free)),
        latent=constraints.latent(found.free),
        items=responses.items,
        scores=responses.scores,
        groups=labels,
        group_sizes=sizes,
        grid=like.grid,
    )
    if conditional is not None:
        estimates = _conditional_estimates(estimates, conditional)
    if not estimates.convergence.converged:
        warn(
            f"the fit did not converge: {estimates.convergence.message}; do not interpret its "
            "estimates. See model.convergence",
            ConvergenceWarning,
        )
    elif estimates.at_edge:
        warn(
            f"at the edge of the possible: {estimates.at_edge}. Such parameters have no standard "
            "error, and the standard errors of the others are conditional on them",
            RuleWarning,
        )
    return IRTModel(
        estimates, PersonResponses(like.backends, order, responses.persons, given.answered)
    )


def _counts(responses: ResponseMatrix, weights: FloatArray | None) -> list[FloatArray]:
    """Persons per score of every item."""
    if weights is None:
        return responses.counts
    return [
        np.bincount(digits, weights, m + 2)[1:].astype(np.float64)
        for digits, m in zip(responses.digits, responses.steps, strict=True)
    ]


def _covariance(information: FloatArray, held: BoolArray) -> FloatArray:
    """Inverse; NaN for parameters held at a bound, and for all without a maximum."""
    found = np.full(information.shape, np.nan)
    kept = np.flatnonzero(~held)
    covariance = inverse(information[np.ix_(kept, kept)])
    if covariance is not None:
        found[np.ix_(kept, kept)] = covariance
    return found


def _persons_by_sum(
    responses: ResponseMatrix, given: AdministeredItems, weights: FloatArray | None
) -> list[tuple[BoolArray, FloatArray]]:
    """Per form with an item, its items and the persons by number of right answers."""
    sums = (responses.digits == 2).sum(axis=0, dtype=np.int64)
    found = []
    for number, items in enumerate(given.forms):
        own = given.form == number
        if items.any():
            weight = None if weights is None else weights[own]
            persons = np.bincount(sums[own], weight, int(items.sum()) + 1)
            found.append((items, persons.astype(np.float64)))
    return found


def _conditional_estimates(marginal: Estimates, found: ConditionalMaximum) -> Estimates:
    """The conditional estimates of the items; the latent distribution is that given the items."""
    k, layout = len(marginal.items), marginal.layout
    # The difficulties sum to 0: the last one follows from the others.
    free = np.vstack([np.eye(k - 1), -np.ones(k - 1)])
    matrix = np.zeros((layout.total, k - 1))
    matrix[layout.intercepts] = free
    base = np.zeros(layout.total)
    base[layout.slopes] = 1.0
    names = [(item, "d") for item in range(k - 1)]
    convergence = Convergence(
        found.converged and marginal.convergence.converged,
        "converged"
        if found.converged
        else "no maximum: some items separate the persons perfectly, or max_iter is too low",
        found.iterations,
        found.gradient_norm,
        found.distance,
        marginal.grid.nodes,
        "conditional likelihood",
    )
    return replace(
        marginal,
        loglik=found.loglik,
        convergence=convergence,
        priors={},
        constraints=Constraints(layout, base, matrix, names, len(marginal.groups), []),
        free=found.intercepts[:-1],
        covariance=np.asarray(linalg.pinvh(free.T @ found.information @ free)),
    )
