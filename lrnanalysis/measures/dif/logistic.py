"""Logistic regression for differential item functioning, uniform and not."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import FloatArray, PersonValues, check_fraction, choice
from lrnanalysis.measures.dif._cumulative import CumulativeFit, fit_cumulative, independent
from lrnanalysis.measures.dif._design import Counts, read_design
from lrnanalysis.measures.dif._report import (
    describe,
    groups_without_scores,
    not_comparable,
    sizes,
    text,
)
from lrnanalysis.measures.dif._tests import Adjustment, adjust_p, purified

__all__ = ["logistic"]

Kind = Literal["both", "uniform", "nonuniform"]

_KINDS = ("both", "uniform", "nonuniform")

#: The terms of the three models, for reasons.
_TERMS = (
    "values of the matching variable",
    "the matching variable and the group",
    "the matching variable, the group and their product",
)

#: Bounds of ΔR² between negligible, moderate and large, by author.
_BOUNDS = {"zumbo_thomas": (0.13, 0.26), "jodoin_gierl": (0.035, 0.070)}


@checked
def logistic(
    matrix: pd.DataFrame,
    group: PersonValues,
    *,
    reference: Hashable | None = None,
    focal: Hashable | None = None,
    match: pd.Series | Sequence[float] | None = None,
    strata: int | None = None,
    anchor: Iterable[Hashable] | None = None,
    purify: bool = False,
    max_rounds: int = 10,
    kind: Kind = "both",
    adjust: Adjustment = "BH",
    level: float = 0.05,
) -> pd.DataFrame:
    """Test whether the group adds to what the total predicts of an item's score.

    Three models of the score are compared by likelihood ratios: the total alone; total and group
    (uniform DIF: one group does better at every total); total, group and their product
    (non-uniform DIF: the difference changes with the total). Items of more than two scores get
    the cumulative (proportional odds) model.

    Parameters
    ----------
    matrix, group, reference, focal, match, strata, anchor, purify, max_rounds, adjust, level
        As for `mantel_haenszel`. Here a matching variable may differ for every person.
    kind : "both", "uniform" or "nonuniform"
        Which test flags, purifies and has its p adjusted.

    Returns
    -------
    DataFrame
        One row per item:

        * ``n_reference``, ``n_focal``; ``chi2_uniform``, ``p_uniform``, ``chi2_nonuniform``,
          ``p_nonuniform``, ``chi2_both``, ``p_both``; ``df`` of the test that `kind` names,
          ``p_adjusted`` and ``flagged``;
        * ``log_odds`` and ``log_odds_se`` of the group in the model without product [logits],
          negative where the focal group does worse at equal totals; ``interaction`` and
          ``interaction_se`` [logits a point of the total]; missing for more than two groups;
        * ``delta_r2_uniform``, ``delta_r2_nonuniform``, ``delta_r2_both``: rise of Nagelkerke's
          R², and for the one that `kind` names its class after ``zumbo_thomas`` (.13, .26) and
          ``jodoin_gierl`` (.035, .070): A negligible (or not significant, unadjusted), B
          moderate, C large;
        * ``favours`` the group that does better where the test is significant (unadjusted);
          missing for more than two groups; ``anchor``; ``converged`` whether all three models
          have a finite maximum that was reached; ``reason`` why values are missing or infinite.

    Raises
    ------
    MeasureError
        As `mantel_haenszel`.

    Notes
    -----
    Standard errors are from the observed information, as in R's ``glm`` and ``MASS::polr``.

    Parameters that the data do not determine, because the matching variable determines the group or
    has a single value in a group, are NaN, and ``df`` counts those that were estimated: of three
    groups, one without the item, the other two are compared. Where ``df`` is 0 there is no test.

    Where a model separates scores (Albert & Anderson), for instance if every reference person and
    no focal person has an item right, the likelihood has a supremum but no finite maximum, and
    ``converged`` is False. A coefficient that goes to infinity, with the same sign, on every path
    to the supremum is infinite; one that the supremum does not determine is NaN; neither has a
    standard error. Coefficients that separation does not affect keep their estimates. The suprema
    are finite, so that chi2, p, R² and the classes are defined and given. ``df`` then counts what
    can be estimated from the persons whose scores the smaller model does not predict exactly
    (Geyer): where the group alone separates all scores, there is no test of the interaction.

    References
    ----------
    Albert, A. & Anderson, J. A. (1984). doi:10.1093/biomet/71.1.1 (separation)
    Geyer, C. J. (2009). doi:10.1214/08-EJS349 (tests under separation)
    Swaminathan, H. & Rogers, H. J. (1990). doi:10.1111/j.1745-3984.1990.tb00754.x
    Zumbo, B. D. (1999). A handbook on the theory and methods of DIF (ordinal; R²).
    Jodoin, M. G. & Gierl, M. J. (2001). doi:10.1207/S15324818AME1404_2
    Nagelkerke, N. J. D. (1991). doi:10.1093/biomet/78.3.691

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ability = rng.normal(size=(2000, 1))
    >>> group = pd.Series(np.where(np.arange(2000) % 2, "b", "a"))
    >>> easier = np.zeros((2000, 10))
    >>> easier[group == "b", 0] = -1.0
    >>> scores = pd.DataFrame((ability + easier + rng.logistic(size=(2000, 10)) > 0).astype(int))
    >>> found = logistic(scores, group).round(3)
    >>> found[["chi2_uniform", "chi2_nonuniform", "log_odds", "jodoin_gierl"]].head(2)
       chi2_uniform  chi2_nonuniform  log_odds jodoin_gierl
    0        63.370            1.134    -0.841            A
    1         0.592            0.554     0.079            A
    """
    choice("kind", kind, _KINDS)
    check_fraction("level", level)
    design = read_design(
        matrix,
        group,
        reference=reference,
        focal=focal,
        match=match,
        strata=strata,
        anchor=anchor,
        purify=purify,
        stratified=False,
    )
    design, purification = purified(
        design,
        lambda trial: _tests(trial.counts(), design.names)[0][f"p_{kind}"] < level,
        purify,
        max_rounds,
    )
    counts = design.counts()
    found, reasons = _tests(counts, design.names)
    p = found[f"p_{kind}"]
    adjusted = adjust_p(p if anchor is None else np.where(design.anchor, np.nan, p), adjust)
    converged = found.pop("converged") == 1
    significant = p < level
    df = {name: found.pop(f"df_{name}") for name in _KINDS}[kind]
    columns: dict[str, object] = {
        **sizes(np.array([one.of_groups for one in counts])),
        **found,
        "df": df.astype(np.int64),
        "p_adjusted": adjusted,
        "flagged": adjusted < level,
    }
    rise = found[f"delta_r2_{kind}"]
    for name, (moderate, large) in _BOUNDS.items():
        small = ~significant | (rise < moderate)
        columns[name] = text(np.where(small, "A", np.where(rise < large, "B", "C")), ~np.isnan(p))
    better = np.where(found["log_odds"] > 0, design.names[1], design.names[0])
    columns["favours"] = text(better, significant & ~np.isnan(found["log_odds"]))
    columns["converged"] = converged
    return describe(
        design,
        columns,
        reasons=reasons,
        measure="logistic",
        purification=purification,
        kind=kind,
        adjust=adjust or "none",
        level=level,
        effect="rise of Nagelkerke's R²",
    )


def _tests(counts: list[Counts], names: Sequence[str]) -> tuple[dict[str, FloatArray], list[str]]:
    """Statistics of every item, by column, and why some are missing."""
    rows, reasons = zip(*(_compare(one, names) for one in counts), strict=True)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}, list(reasons)


def _compare(counts: Counts, names: Sequence[str]) -> tuple[dict[str, float], str]:
    """The three models of one item."""
    result = dict.fromkeys(_COLUMNS, np.nan) | dict.fromkeys(map("df_{}".format, _KINDS), 0.0)
    result["converged"] = 0.0
    lost = not_comparable(counts.of_groups, len(counts.scores), names)
    if lost:
        return result, lost
    groups = len(names) - 1
    n = float(counts.table.sum())
    level = counts.levels - np.average(counts.levels, weights=counts.persons.sum(axis=0))
    total = np.tile(level, groups + 1)
    member = np.repeat(np.eye(groups + 1)[:, 1:], len(level), axis=0)
    cells = counts.table.reshape(-1, len(counts.scores))
    used = cells.sum(axis=1) > 0
    cells, total, member = cells[used], total[used, None], member[used]
    lines = np.repeat(np.arange(groups + 1), len(level))[used]
    terms = np.hstack([total, member, member * total])
    models = [terms[:, :width] for width in (1, 1 + groups, 1 + 2 * groups)]
    fits = [fit_cumulative(cells, model, lines) for model in models]
    of_all = cells.sum(axis=0)
    empty = float((of_all * np.log(of_all / n)).sum())
    r2 = [-np.expm1(2 * (empty - fit.loglik) / n) / -np.expm1(2 * empty / n) for fit in fits]
    for kind, (small, large) in {"uniform": (0, 1), "nonuniform": (1, 2), "both": (0, 2)}.items():
        # Scores that the smaller model predicts exactly leave nothing for the larger to explain.
        left = ~fits[small].decided
        df = len(independent(models[large][left])) - len(independent(models[small][left]))
        result[f"df_{kind}"] = df
        if df > 0:
            # Models that fit alike differ by the error of the iterations, of either sign.
            chi2 = max(2 * (fits[large].loglik - fits[small].loglik), 0.0)
            result[f"chi2_{kind}"] = chi2
            result[f"p_{kind}"] = float(stats.chi2.sf(chi2, df))
            result[f"delta_r2_{kind}"] = r2[large] - r2[small]
    if groups == 1:
        result["log_odds"] = float(fits[1].coefficients[1])
        result["log_odds_se"] = float(fits[1].errors[1])
        result["interaction"] = float(fits[2].coefficients[2])
        result["interaction_se"] = float(fits[2].errors[2])
    result["converged"] = float(all(fit.converged for fit in fits))
    return result, "; ".join(_reasons(counts, result, fits, names))


def _reasons(
    counts: Counts, found: dict[str, float], fits: Sequence[CumulativeFit], names: Sequence[str]
) -> Iterator[str]:
    """Why parameters of an item with scores in several groups are missing or infinite."""
    absent = groups_without_scores(counts.of_groups, names)
    if absent:
        yield absent
    compared = np.count_nonzero(counts.of_groups) - 1
    if fits[0].decided.all():
        yield "the matching variable predicts every score exactly: groups cannot differ"
        return
    if found["df_uniform"] < compared:
        yield "the matching variable determines the group: its log odds cannot be estimated"
    elif found["df_nonuniform"] < compared and not fits[1].separated:
        yield "a group has one value of the matching variable: no interaction can be estimated"
    for terms, fit in zip(_TERMS, fits, strict=True):
        if fit.separated:
            yield (
                f"scores are separated by {terms}: estimates of this model are infinite or "
                "missing, its chi2 is the likelihood's supremum"
            )
            return
        if not fit.converged:
            yield f"the likelihood of {terms} did not reach its maximum"
            return


_COLUMNS = (
    "chi2_uniform",
    "p_uniform",
    "chi2_nonuniform",
    "p_nonuniform",
    "chi2_both",
    "p_both",
    "log_odds",
    "log_odds_se",
    "interaction",
    "interaction_se",
    "delta_r2_uniform",
    "delta_r2_nonuniform",
    "delta_r2_both",
)
