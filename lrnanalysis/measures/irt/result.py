"""The fitted model, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Literal

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt import abilities as scoring
from lrnanalysis.measures.irt import curves, itemfit, limited, personfit, saving, simulating
from lrnanalysis.measures.irt.answers import Answers, read_answers
from lrnanalysis.measures.irt.design import Design
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.likelihood import Prior
from lrnanalysis.measures.irt.parameters import covariance_frame, group_table, item_table

__all__ = ["Convergence", "IRTModel"]


@dataclass(frozen=True)
class Convergence:
    """How the search for the maximum ended.

    Attributes
    ----------
    converged : bool
        Whether the gradient vanishes, relative to the standard errors, at a maximum: the
        information there is positive definite.
    message : str
        In words.
    iterations : int
        Evaluations of the likelihood over all persons.
    gradient_norm : float
        Largest absolute derivative of the log-likelihood (with priors, if any).
    distance : float
        Expected gain of the log-likelihood up to the maximum.
    nodes : int
        Nodes of the grid of ability.
    path : str
        "one scalar a person" or "nodes", and whether compiled.
    """

    converged: bool
    message: str
    iterations: int
    gradient_norm: float
    distance: float
    nodes: int
    path: str


@dataclass(frozen=True, eq=False, repr=False)
class IRTModel:
    """A fitted item response model; made by `fit` or `load`.

    The probability of a score depends on ability θ through a (θ − b) = a θ + d, without a factor
    1.7. For partial credit, GRM: P(X ≥ k) = σ(a θ + d_k), b_k = −d_k / a; PCM, RSM, GPCM:
    P(k) ∝ exp(k a θ + d_k), b_k = −(d_k − d_{k−1}) / a; NRM: P(k) ∝ exp(a_k θ + d_k). k counts the
    scores that occur in the data.

    Attributes
    ----------
    loglik : float
        Marginal log-likelihood at the estimates, or the conditional one after method="CML". With
        priors the estimates are the posterior's mode, and the priors' density is not in it.
    convergence : Convergence
        How the search ended.
    persons : float
        Persons with at least one score, by weight.
    priors : dict
        Priors that were used, by parameter; empty after maximum likelihood.
    method : str
        "MML" or "CML".
    """

    loglik: float
    convergence: Convergence
    persons: float
    priors: dict[str, Prior]
    method: str
    _design: Design = field(repr=False)
    _free: FloatArray = field(repr=False)
    _covariance: FloatArray = field(repr=False)
    _latent: FloatArray = field(repr=False)
    _labels: pd.Index = field(repr=False)
    _scores: list[FloatArray] = field(repr=False)
    _groups: pd.Index = field(repr=False)
    _group_sizes: FloatArray = field(repr=False)
    _grid: Grid = field(repr=False)
    _answers: Answers | None = field(repr=False)

    # Estimates ----------------------------------------------------------------------------------

    @property
    def converged(self) -> bool:
        """Whether the maximum was reached; see `convergence`."""
        return self.convergence.converged

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return len(self._free)

    @property
    def aic(self) -> float:
        """Akaike's information criterion: 2 · parameters − 2 · `loglik`.

        With priors it is taken at the posterior's mode, where the likelihood is below its maximum:
        compare it only with fits that have the same priors, or fit with ``priors=None``.
        """
        return 2 * self.n_parameters - 2 * self.loglik

    @property
    def bic(self) -> float:
        """Bayesian information criterion: log(persons) · parameters − 2 · `loglik`.

        With priors, what is said of `aic` holds.
        """
        return float(self.n_parameters * np.log(self.persons) - 2 * self.loglik)

    @cached_property
    def raw(self) -> FloatArray:
        """Flat item parameters, as `models` has them."""
        return self._design.raw(self._free)

    @cached_property
    def items(self) -> pd.DataFrame:
        """Item parameters with standard errors.

        Returns
        -------
        DataFrame
            One row an item: ``model``; slope ``a``, difficulty ``b``, intercept ``d``, lower and
            upper asymptote ``c`` and ``u``, as far as the models have them; ``b1``, ``d1`` … for
            partial credit; each with its ``_se``, missing for what was fixed or ended at a bound.
        """
        size = len(self._design.names)
        matrix = self._design.matrix
        covariance = matrix @ np.nan_to_num(self._covariance[:size, :size]) @ matrix.T
        return item_table(self._design.layout, self.raw, covariance, self._labels)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Latent distribution by group: ``persons``, ``mean``, ``variance``, standard errors."""
        return group_table(
            self._design, self._latent, self._covariance, self._groups, self._group_sizes
        )

    @property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the free parameters (logits of c and u; SDs of groups)."""
        return covariance_frame(self._design, self._covariance, self._labels, self._groups)

    @property
    def scores(self) -> dict[object, list[float]]:
        """Scores of each item, in the order of its categories from 0."""
        return {item: own.tolist() for item, own in zip(self._labels, self._scores, strict=True)}

    def __repr__(self) -> str:
        models = pd.Series(self._design.layout.models).value_counts(sort=False)
        kinds = ", ".join(f"{name} × {count}" for name, count in models.items())
        c = self.convergence
        lines = [
            f"IRTModel: {kinds} items, {self.persons:,.0f} persons"
            + (f", {len(self._groups)} groups" if len(self._groups) > 1 else ""),
            f"  {'conditional ' * (self.method == 'CML')}logLik {self.loglik:.4f}, "
            f"{self.n_parameters} parameters, AIC {self.aic:.2f}, BIC {self.bic:.2f}",
            f"  {'converged' if c.converged else 'NOT CONVERGED: ' + c.message} after "
            f"{c.iterations} passes ({c.path}, {c.nodes} nodes)",
        ]
        if self.priors:
            told = ", ".join(f"{k} ~ {p[0]}({p[1]:g}, {p[2]:g})" for k, p in self.priors.items())
            lines.append(f"  posterior mode, not maximum likelihood: {told}")
        return "\n".join(lines)

    # Persons ------------------------------------------------------------------------------------

    def answers(self, matrix: pd.DataFrame | None = None, group: object = None) -> Answers:
        """The responses that the model was fitted to, or those of other persons.

        Parameters
        ----------
        matrix : DataFrame, persons × items, optional
            Scores on items of the model, in any order; items may lack.
        group : Series, array or list, optional
            Group of every person, among the model's.

        Raises
        ------
        MeasureError
            If the model was loaded and no matrix is given.
        """
        if matrix is not None:
            return read_answers(
                matrix,
                group,
                self._design.layout,
                self._labels,
                self._scores,
                self._groups,
                self._grid,
            )
        if self._answers is None:
            raise MeasureError("the model was loaded without responses: give a matrix")
        return self._answers

    def abilities(
        self,
        method: Literal["EAP", "MAP", "ML", "WLE"] = "EAP",
        *,
        matrix: pd.DataFrame | None = None,
        group: object = None,
        bound: float = 20.0,
    ) -> pd.DataFrame:
        """Abilities with standard errors.

        Parameters
        ----------
        method : "EAP", "MAP", "ML" or "WLE"
            Mean or mode of the posterior, maximum of the likelihood, or Warm's weighted
            likelihood, which has the least bias (Warm, T. A. (1989). doi:10.1007/BF02294627).
        matrix, group : optional
            Other persons; see `answers`.
        bound : float
            ML and WLE are sought between −bound and bound, next to the EAP ability: with guessing
            a likelihood may have more than one maximum.

        Returns
        -------
        DataFrame
            One row a person: ``ability``, ``se``: the posterior's SD; for MAP, ML and WLE by the
            information there. Where the likelihood rises up to a bound, as for persons with the
            lowest or highest score throughout, ML is −∞ or ∞ and has no standard error. Persons
            without a score have the group's mean, and NaN by ML and WLE.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> logit = rng.normal(size=(300, 1)) - np.linspace(-1, 1, 5)
        >>> model = lrn.irt.fit(1.0 * (rng.logistic(size=logit.shape) < logit), "Rasch")
        >>> list(model.abilities("WLE").columns)
        ['ability', 'se']
        """
        return scoring.abilities(self, self.answers(matrix, group), method, bound)

    def reliability(self, *, matrix: pd.DataFrame | None = None, group: object = None) -> pd.Series:
        """Reliability of abilities.

        Returns
        -------
        Series
            ``marginal``: 1 − E(1 / (I(θ) + 1 / variance)) / variance over the latent distribution
            of all groups together, of a person who takes every item; ``empirical``:
            var(EAP) / (var(EAP) + mean squared SE) over the persons.
        """
        return curves.reliability(self, self.answers(matrix, group))

    # Curves -------------------------------------------------------------------------------------

    def probabilities(self, theta: Sequence[float] | FloatArray | None = None) -> pd.DataFrame:
        """Probability of every score by ability.

        Parameters
        ----------
        theta : sequence of float, optional
            Abilities; by default 61 from −6 to 6.

        Returns
        -------
        DataFrame
            One row an ability, columns (item, score).
        """
        return curves.probabilities(self, theta)

    def expected_scores(self, theta: Sequence[float] | FloatArray | None = None) -> pd.DataFrame:
        """Expected score [points] of every item by ability: the characteristic curves."""
        return curves.expected_scores(self, theta)

    def item_information(self, theta: Sequence[float] | FloatArray | None = None) -> pd.DataFrame:
        """Fisher information of every item by ability, columns items."""
        return curves.item_information(self, theta)

    def information(self, theta: Sequence[float] | FloatArray | None = None) -> pd.DataFrame:
        """Information of the whole test, and the standard error that it leaves.

        Returns
        -------
        DataFrame
            One row an ability: ``information``; ``se`` = 1 / √information of an ML ability.
        """
        return curves.information(self, theta)

    # Fit ----------------------------------------------------------------------------------------

    def item_fit(self, *, least: float = 1.0) -> pd.DataFrame:
        """Fit of every item: S-X², infit and outfit.

        S-X² compares the shares of scores among persons of the same total with those expected
        (Orlando, M. & Thissen, D. (2000). doi:10.1177/01466216000241003; Kang & Chen 2008 for
        partial credit); it uses persons who have every item, and ``df`` is the number of cells
        less the parameters that are the item's alone. Infit and outfit are mean squared
        residuals at the EAP abilities, weighted by information or not (Wright & Masters 1982).

        Parameters
        ----------
        least : float
            Cells that expect fewer persons are merged with their neighbours.

        Returns
        -------
        DataFrame
            One row an item: ``s_x2``, ``df``, ``p``, ``rmsea``, ``infit``, ``outfit``, ``n``.
        """
        return itemfit.item_fit(self, self.answers(), least)

    def model_fit(self, *, confidence: float = 0.9) -> pd.Series:
        """Fit of the model: M2 with RMSEA.

        M2 compares means and pairwise products of the scores (Maydeu-Olivares, A. & Joe, H.
        (2006). doi:10.1007/s11336-005-1295-9; with partial credit M2* of Cai, L. & Hansen, M.
        (2013). doi:10.1111/j.2044-8317.2012.02050.x). It needs complete data.

        Returns
        -------
        Series
            ``m2``, ``df``, ``p``, ``rmsea`` with its interval ``rmsea_low``, ``rmsea_high``,
            ``srmsr`` (of the correlations).
        """
        return limited.model_fit(self, self.answers(), confidence)

    def person_fit(
        self, *, matrix: pd.DataFrame | None = None, group: object = None
    ) -> pd.DataFrame:
        """Fit of every person.

        Returns
        -------
        DataFrame
            One row a person: ``lz``, the standardised log-likelihood of the responses at the EAP
            ability (Drasgow, F. et al. (1985). doi:10.1111/j.2044-8317.1985.tb00817.x; mirt's Zh),
            low where they do not go together. Because the ability is estimated from the same
            responses, lz varies less than a standard normal and lies above 0: with 12 items 3 %
            fall below −1.645, not 5 %. ``lz_star``, at the MAP ability, corrects for that
            (Snijders, T. A. B. (2001). doi:10.1007/BF02294437; Magis, D. et al. (2012).
            doi:10.3102/1076998610396894). ``infit``, ``outfit`` at the EAP ability; ``n`` items.
        """
        return personfit.person_fit(self, self.answers(matrix, group))

    def local_dependence(self) -> pd.DataFrame:
        """Q3: correlation of every two items' residuals at the EAP abilities.

        Without local dependence about −1 / (items − 1) is expected (Yen, W. M. (1984).
        doi:10.1177/014662168400800201). Pairs without common persons are NaN.
        """
        return personfit.local_dependence(self, self.answers())

    # Use ----------------------------------------------------------------------------------------

    def simulate(
        self,
        persons: int | None = None,
        *,
        theta: Sequence[float] | FloatArray | pd.Series | None = None,
        group: object = None,
        seed: int | np.random.Generator | None = None,
    ) -> pd.DataFrame:
        """Scores of simulated persons.

        Parameters
        ----------
        persons : int, optional
            How many, with abilities drawn from the latent distribution.
        theta : sequence of float, optional
            Their abilities, instead.
        group : label, optional
            Group to draw abilities from; by default the reference.
        seed : int or Generator, optional
            For the same numbers again.

        Returns
        -------
        DataFrame, persons × items
            Scores [points]; abilities are not kept.
        """
        return simulating.simulate(self, persons, theta, group, seed)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a file, JSON text, without responses or persons' labels.

        Labels of items and groups become text. `load` reads the file; abilities then need a
        matrix.
        """
        saving.save(self, path)
