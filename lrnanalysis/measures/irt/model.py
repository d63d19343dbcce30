"""The fitted model, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Literal, overload

import numpy as np
import pandas as pd

from lrnanalysis.arguments import checked
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures._checks import FloatArray
from lrnanalysis.measures.irt.estimation.priors import Prior
from lrnanalysis.measures.irt.likelihood.persons import PersonResponses, read_persons
from lrnanalysis.measures.irt.results import abilities as ability_measures
from lrnanalysis.measures.irt.results import curves, item_fit, model_fit, person_fit
from lrnanalysis.measures.irt.results.curves import Theta
from lrnanalysis.measures.irt.results.estimates import Convergence, Estimates
from lrnanalysis.measures.irt.results.forms import Missing
from lrnanalysis.measures.irt.results.model_fit import Statistic
from lrnanalysis.measures.irt.results.parameter_tables import (
    covariance_table,
    group_table,
    item_table,
)
from lrnanalysis.measures.irt.results.serialisation import read_estimates, write_estimates
from lrnanalysis.measures.irt.results.simulation import simulate

__all__ = ["IRTModel", "load"]


@dataclass(frozen=True, eq=False, repr=False)
class IRTModel:
    """A fitted item response model; made by `fit` or `load`.

    The probability of a score depends on ability θ through a (θ − b) = a θ + d, without a factor
    1.7. For partial credit, GRM: P(X ≥ k) = σ(a θ + d_k), b_k = −d_k / a; PCM, RSM, GPCM:
    P(k) ∝ exp(k a θ + d_k), b_k = −(d_k − d_{k−1}) / a; NRM: P(k) ∝ exp(a_k θ + d_k). k counts the
    scores that occur in the data.

    Attributes
    ----------
    estimates : Estimates
        What the fit found.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> logit = rng.normal(size=(500, 1)) - np.linspace(-1, 1, 5)
    >>> matrix = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit), columns=list("uvwxy"))
    >>> model = lrn.irt.fit(matrix, "Rasch")
    >>> round(model.loglik, 2), model.n_parameters, model.converged
    (-1579.12, 6, True)
    >>> model.expected_scores([0.0]).round(1).iloc[0].tolist()
    [0.7, 0.6, 0.5, 0.4, 0.3]
    """

    estimates: Estimates
    _persons: PersonResponses | None

    # Estimates ----------------------------------------------------------------------------------

    @property
    def loglik(self) -> float:
        """Marginal log-likelihood at the estimates, or the conditional one after method="CML".

        With priors the estimates are the posterior's mode, and the priors' density is not in it.
        """
        return self.estimates.loglik

    @property
    def convergence(self) -> Convergence:
        """How the search for the maximum ended."""
        return self.estimates.convergence

    @property
    def persons(self) -> float:
        """Persons with at least one score, by weight."""
        return self.estimates.persons

    @property
    def priors(self) -> dict[str, Prior]:
        """Priors that were used, by parameter; empty after maximum likelihood."""
        return self.estimates.priors

    @property
    def method(self) -> str:
        """The likelihood that was maximised, "MML" or "CML"."""
        return self.estimates.method

    @property
    def converged(self) -> bool:
        """Whether the maximum was reached; see `convergence`."""
        return self.convergence.converged

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return len(self.estimates.free)

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

        With priors, see the note at `aic`.
        """
        return float(self.n_parameters * np.log(self.persons) - 2 * self.loglik)

    @cached_property
    def items(self) -> pd.DataFrame:
        """Item parameters with standard errors.

        Returns
        -------
        DataFrame
            One row per item: ``model``; slope ``a``, difficulty ``b``, intercept ``d``, lower and
            upper asymptote ``c`` and ``u``, as far as the models have them; ``b1``, ``d1`` … for
            partial credit; each with its ``_se``, missing for what was fixed or ended at a bound.
        """
        return item_table(self.estimates)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Latent distribution by group: ``persons``, ``mean``, ``variance``, standard errors."""
        return group_table(self.estimates)

    @property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the free parameters (logits of c and u; SDs of groups)."""
        return covariance_table(self.estimates)

    @property
    def scores(self) -> dict[object, list[float]]:
        """Scores of each item, in the order of its categories from 0."""
        pairs = zip(self.estimates.items, self.estimates.scores, strict=True)
        return {item: own.tolist() for item, own in pairs}

    def __repr__(self) -> str:
        models = self.items["model"].value_counts(sort=False)
        kinds = ", ".join(f"{name} × {count}" for name, count in models.items())
        c = self.convergence
        lines = [
            f"IRTModel: {kinds} items, {self.persons:,.0f} persons"
            + (f", {len(self.groups)} groups" if len(self.groups) > 1 else ""),
            f"  {'conditional ' * (self.method == 'CML')}logLik {self.loglik:.4f}, "
            f"{self.n_parameters} parameters, AIC {self.aic:.2f}, BIC {self.bic:.2f}",
            f"  {'converged' if c.converged else 'NOT CONVERGED: ' + c.message} after "
            f"{c.iterations} passes ({c.path}, {c.nodes} nodes)",
        ]
        if c.converged and self.estimates.at_edge:
            lines.append(f"  standard errors are conditional on {self.estimates.at_edge}")
        if self.priors:
            text = ", ".join(f"{k} ~ {p[0]}({p[1]:g}, {p[2]:g})" for k, p in self.priors.items())
            lines.append(f"  posterior mode, not maximum likelihood: {text}")
        return "\n".join(lines)

    # Persons ------------------------------------------------------------------------------------

    @checked
    def responses(
        self, matrix: pd.DataFrame | FloatArray | None = None, group: object = None
    ) -> PersonResponses:
        """The responses that the model was fitted to, or those of other persons.

        Parameters
        ----------
        matrix : DataFrame or array, persons × items, optional
            Scores on items of the model, in any order; items may be missing.
        group : Series, array or list, optional
            Group of every person, among the model's.

        Raises
        ------
        MeasureError
            If the model was loaded and no matrix is given.
        """
        if matrix is None and group is not None:
            raise MeasureError(
                "group is given without matrix: the persons of the fit have their groups; pass the "
                "matrix of the persons too, or leave group out"
            )
        if matrix is not None:
            own = self.estimates
            return read_persons(
                matrix, group, own.layout, own.items, own.scores, own.groups, own.grid
            )
        if self._persons is None:
            raise MeasureError("the model was loaded without responses: give a matrix")
        return self._persons

    @checked
    def abilities(
        self,
        method: Literal["EAP", "MAP", "ML", "WLE"] = "EAP",
        *,
        matrix: pd.DataFrame | FloatArray | None = None,
        group: object = None,
        bound: float = 20.0,
        information: Literal["expected", "observed"] = "expected",
    ) -> pd.DataFrame:
        """Abilities with standard errors.

        Parameters
        ----------
        method : "EAP", "MAP", "ML" or "WLE"
            Mean or mode of the posterior, maximum of the likelihood, or Warm's weighted
            likelihood, which has the least bias (Warm, T. A. (1989). doi:10.1007/BF02294627).
        matrix, group : optional
            Other persons; see `responses`.
        bound : float
            ML and WLE are searched for between −bound and bound, next to the EAP ability: with
            guessing a likelihood may have more than one maximum.
        information : "expected" or "observed"
            By which information MAP, ML and WLE have their standard errors: Fisher's, expected of
            any answers at that ability, or the curvature of the log-likelihood of the person's
            own answers. They are the same for Rasch, 1PL, 2PL, PCM, RSM, GPCM and NRM items, and
            differ for GRM, 3PL and 4PL ones, where other programs may take the observed one.

        Returns
        -------
        DataFrame
            One row per person: ``ability``, ``se``: of EAP the posterior's SD; of MAP, ML and WLE
            1 / √information at the ability, for MAP with that of the latent distribution,
            1 / variance, added. Where the observed information is negative, ``se`` is NaN. Where
            the likelihood rises up to a bound, as for persons with the lowest or highest score
            throughout, ML is −∞ or ∞ and has no standard error. Persons without a score have the
            group's mean, and NaN by ML and WLE.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> logit = rng.normal(size=(300, 1)) - np.linspace(-1, 1, 5)
        >>> model = lrn.irt.fit(1.0 * (rng.logistic(size=logit.shape) < logit), "Rasch")
        >>> list(model.abilities("WLE").columns)
        ['ability', 'se']
        """
        return ability_measures.abilities(
            self.estimates, self.responses(matrix, group), method, bound, information
        )

    @checked
    def reliability(
        self, *, matrix: pd.DataFrame | FloatArray | None = None, group: object = None
    ) -> pd.Series:
        """Reliability of abilities.

        Returns
        -------
        Series
            ``marginal``: 1 − E(1 / (I(θ) + 1 / variance)) / variance over the latent distribution
            of all groups together, for a person who takes every item; ``empirical``:
            var(EAP) / (var(EAP) + mean squared SE) over the persons with at least one score, by
            weight. NaN where all have the same ability.
        """
        return ability_measures.reliability(self.estimates, self.responses(matrix, group))

    # Curves -------------------------------------------------------------------------------------

    @checked
    def probabilities(self, theta: Theta = None) -> pd.DataFrame:
        """Probability of every score by ability.

        Parameters
        ----------
        theta : sequence of float, optional
            Abilities; by default 61 from −6 to 6.

        Returns
        -------
        DataFrame
            One row per ability, columns (item, score).
        """
        return curves.probabilities(self.estimates, theta)

    @checked
    def expected_scores(self, theta: Theta = None) -> pd.DataFrame:
        """Expected score [points] of every item by ability: the characteristic curves."""
        return curves.expected_scores(self.estimates, theta)

    @checked
    def item_information(self, theta: Theta = None) -> pd.DataFrame:
        """Fisher information of every item by ability, columns items."""
        return curves.item_information(self.estimates, theta)

    @checked
    def information(self, theta: Theta = None) -> pd.DataFrame:
        """Information of the whole test, and the standard error that it leaves.

        Returns
        -------
        DataFrame
            One row per ability: ``information``; ``se`` = 1 / √information of an ML ability.
        """
        return curves.total_information(self.estimates, theta)

    # Fit ----------------------------------------------------------------------------------------

    @checked
    def item_fit(
        self,
        *,
        missing: Literal["listwise", "forms"] = "forms",
        min_persons: float = 100,
        min_expected: float = 1.0,
    ) -> pd.DataFrame:
        """Fit of every item: S-X², infit and outfit.

        Parameters
        ----------
        missing : "forms" or "listwise"
            Persons of S-X²: of every form, i.e. set of items answered, that enough persons have; or
            only those with a score on every item, as in mirt with ``na.rm=TRUE``. With complete
            data both are the same.
        min_persons : float
            Forms of fewer persons are left out of S-X²; the only one never is.
        min_expected : float
            Cells that expect fewer persons are merged with their neighbours.

        Returns
        -------
        DataFrame
            One row per item: ``s_x2``, ``df``, ``p``, ``rmsea``; ``infit``, ``outfit``; ``n``
            persons with a score on the item; ``n_s_x2`` of them in S-X², of so many ``forms``;
            ``reason``, why S-X² or its df is missing, else empty. ``attrs`` has the rules, the
            number of all forms, and the persons ``left_out`` of S-X².

        Raises
        ------
        MeasureError
            If an argument is not one of those allowed.

        Notes
        -----
        S-X² compares the shares of scores among persons of the same total with those expected
        (Orlando, M. & Thissen, D. (2000). doi:10.1177/01466216000241003; Kang & Chen 2008 for
        partial credit). Totals mean the same only where persons have the same items. Therefore the
        table of totals is made, and its cells are merged, form by form; an item's S-X² is the sum
        over the forms that have it, and ``df`` the sum of their cells less the parameters that are
        the item's alone, once, for all forms share them. Within a form the persons are taken to be
        a random part of their group: fit forms for different populations with ``group``. Where
        everybody lacks other scores, no form has enough persons and S-X² is missing. The parameters
        should be estimated mostly from the persons in S-X²: where they are few of all, as often
        with "listwise", it exceeds its ``df`` by up to the item's parameters.

        Infit and outfit are mean squared residuals at the EAP abilities, weighted by information
        or not (Wright & Masters 1982); they use all persons with the item.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> logit = rng.normal(size=(900, 1)) - np.linspace(-1, 1, 8)
        >>> matrix = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit))
        >>> matrix.iloc[:450, :2] = np.nan
        >>> matrix.iloc[450:, 6:] = np.nan
        >>> lrn.irt.fit(matrix, "Rasch").item_fit()[["df", "n_s_x2", "forms"]].iloc[[0, 4]]
            df  n_s_x2  forms
        0  4.0   450.0      1
        4  9.0   900.0      2
        """
        return item_fit.item_fit(
            self.estimates, self.responses(), missing, min_persons, min_expected
        )

    @overload
    def model_fit(
        self,
        statistic: Statistic = ...,
        *,
        missing: Literal["raise", "listwise"] = ...,
        min_persons: float = ...,
        confidence: float = ...,
    ) -> pd.Series: ...

    @overload
    def model_fit(
        self,
        statistic: Statistic = ...,
        *,
        missing: Literal["forms"],
        min_persons: float = ...,
        confidence: float = ...,
    ) -> pd.DataFrame: ...

    @checked
    def model_fit(
        self,
        statistic: Statistic = "M2",
        *,
        missing: Missing = "raise",
        min_persons: float = 100,
        confidence: float = 0.9,
    ) -> pd.Series | pd.DataFrame:
        """Fit of the model: M2 or C2, with RMSEA.

        Parameters
        ----------
        statistic : "M2" or "C2"
            What is compared of single items: the mean scores, or the shares of every score. With
            two scores per item they are the same. C2 has degrees of freedom where a few items with
            many scores leave none to M2.
        missing : "raise", "listwise" or "forms"
            What to do where persons lack scores: an error; use only the persons with a score on
            every item; or one row per form, i.e. set of items answered, and one for all of them.
        min_persons : float
            Forms of fewer persons are left out; the only one never is.
        confidence : float
            Level of the interval of RMSEA.

        Returns
        -------
        Series, or DataFrame with ``missing="forms"``
            ``n`` persons used; ``m2`` or ``c2``, ``df``, ``p``; ``rmsea`` with its interval
            ``rmsea_low``, ``rmsea_high``; ``srmsr`` (of the correlations). Per form, largest
            first, also the number of ``items`` and the ``reason`` why values are missing. ``attrs``
            has the rule, the persons ``left_out``, and the items of every form.

        Raises
        ------
        MeasureError
            If scores are missing and `missing` is "raise"; if nobody has every item, or no form
            enough persons; if there are fewer than three items, or no degrees of freedom; if the
            moments need more than 4 GB of memory, as those of some 330 items of the 2PL do.

        Notes
        -----
        Both compare moments of the scores with those expected, weighted by their covariance, with
        the directions taken out in which the estimates can change expected moments: M2 means and
        mean products of pairs (Maydeu-Olivares, A. & Joe, H. (2006).
        doi:10.1007/s11336-005-1295-9; with partial credit this is the M2* of Cai, L. & Hansen, M.
        (2013). doi:10.1111/j.2044-8317.2012.02050.x), C2 shares of scores and mean products of
        pairs (Monroe, S. & Cai, L. (2015). doi:10.1080/00273171.2014.910744; Cai & Monroe 2014).

        Because these directions are taken out, the statistic has its χ² distribution at any
        estimates that converge to the truth with the root of the number of persons, not only at
        those of the persons on whom it is computed: the model of all persons can be tested on some
        of them. ``df`` is the number of moments less the number of independent directions among
        the parameters that matter to these persons. They must be a random part of their group: not
        so where the less able lack scores (listwise, then, p is too small), or where forms went to
        different populations (fit them with ``group``).

        "all forms" is no sum of the rows: it takes the forms together as independent samples
        that share their parameters, which are counted once, so that its ``df`` exceeds the sum;
        it tests also whether an item is the same in all forms.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> logit = rng.normal(size=(900, 1)) - np.linspace(-1, 1, 8)
        >>> matrix = pd.DataFrame(1.0 * (rng.logistic(size=logit.shape) < logit))
        >>> matrix.iloc[:400, :2] = np.nan
        >>> matrix.iloc[400:, 6:] = np.nan
        >>> model = lrn.irt.fit(matrix, "2PL")
        >>> model.model_fit(missing="forms")[["items", "n", "df"]]
                   items      n    df
        form
        form 1         6  500.0   9.0
        form 2         6  400.0   9.0
        all forms      8  900.0  26.0
        """
        return model_fit.model_fit(
            self.estimates, self.responses(), statistic, missing, min_persons, confidence
        )

    @checked
    def person_fit(
        self, *, matrix: pd.DataFrame | FloatArray | None = None, group: object = None
    ) -> pd.DataFrame:
        """Fit of every person.

        Returns
        -------
        DataFrame
            One row per person: ``lz``, the standardised log-likelihood of the responses at the EAP
            ability (Drasgow, F. et al. (1985). doi:10.1111/j.2044-8317.1985.tb00817.x; mirt's Zh),
            low where they are inconsistent. Because the ability is estimated from the same
            responses, lz varies less than a standard normal and lies above 0: with 12 items 3 %
            fall below −1.645, not 5 %. ``lz_star``, at the MAP ability, corrects for that
            (Snijders, T. A. B. (2001). doi:10.1007/BF02294437; Magis, D. et al. (2012).
            doi:10.3102/1076998610396894); it needs two items that are not alike, for given the
            ability nothing varies of one. ``infit``, ``outfit`` at the EAP ability; ``n`` items
            with a score; ``reason`` why a value is missing, else empty.
        """
        return person_fit.person_fit(self.estimates, self.responses(matrix, group))

    def local_dependence(self) -> pd.DataFrame:
        """Q3: correlations of the residuals of all pairs of items at the EAP abilities.

        Without local dependence about −1 / (items − 1) is expected (Yen, W. M. (1984).
        doi:10.1177/014662168400800201).

        Returns
        -------
        DataFrame, items × items
            Of each pair over the persons with both items; NaN with fewer than three, or where
            residuals do not vary. ``attrs`` has the fewest and most persons of a pair, and the
            ``reason`` where pairs are NaN.
        """
        return person_fit.local_dependence(self.estimates, self.responses())

    # Use ----------------------------------------------------------------------------------------

    @checked
    def simulate(
        self,
        persons: int | None = None,
        *,
        theta: Theta = None,
        group: Hashable | None = None,
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
            Makes the draw reproducible.

        Returns
        -------
        DataFrame, persons × items
            Scores [points]; abilities are not kept.
        """
        return simulate(self.estimates, persons, theta, group, seed)

    @checked
    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a file, JSON text, without responses or persons' labels.

        Labels of items and groups stay the text, numbers, truth values or tuples of these that
        they are; others, such as dates and intervals, become text. `load` reads the file;
        abilities then need a matrix.

        Raises
        ------
        MeasureError
            If two labels become the same text.
        """
        write_estimates(self.estimates, path)


@checked
def load(path: str | PathLike[str]) -> IRTModel:
    """Read a model that `IRTModel.save` wrote.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    IRTModel
        As it was, without responses: give a matrix to `IRTModel.abilities`.

    Raises
    ------
    MeasureError
        If the file is not such a model.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> matrix = pd.DataFrame({"u": [1, 0, 1, 0], "v": [1, 1, 0, 0], "w": [0, 1, 1, 0]})
    >>> with TemporaryDirectory() as folder:
    ...     lrn.irt.fit(matrix, "Rasch").save(f"{folder}/model.json")
    ...     model = lrn.irt.load(f"{folder}/model.json")
    >>> list(model.scores)
    ['u', 'v', 'w']
    """
    return IRTModel(read_estimates(path), None)
