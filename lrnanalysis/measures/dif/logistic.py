"""Logistic regression for differential item functioning, uniform and not."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lrnanalysis.arguments import checked
from lrnanalysis.measures._checks import FloatArray, PersonValues, check_fraction, choice
from lrnanalysis.measures.dif._cumulative import fit_cumulative
from lrnanalysis.measures.dif._design import Counts, read_design
from lrnanalysis.measures.dif._report import describe, sizes, text
from lrnanalysis.measures.dif._tests import Adjustment, adjust_p, purified

__all__ = ["logistic"]

Kind = Literal["both", "uniform", "nonuniform"]

_KINDS = ("both", "uniform", "nonuniform")

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
          missing for more than two groups; ``anchor``; ``converged``.

    Raises
    ------
    MeasureError
        As `mantel_haenszel`.

    References
    ----------
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
        design, lambda trial: _tests(trial.counts())[f"p_{kind}"] < level, purify, max_rounds
    )
    counts = design.counts()
    found = _tests(counts)
    p = found[f"p_{kind}"]
    adjusted = adjust_p(p if anchor is None else np.where(design.anchor, np.nan, p), adjust)
    converged = found.pop("converged") == 1
    significant = p < level
    known = ~np.isnan(p)
    groups = len(design.names) - 1
    columns: dict[str, object] = {
        **sizes(np.array([one.of_groups for one in counts])),
        **found,
        "df": np.full(len(p), groups * (2 if kind == "both" else 1)),
        "p_adjusted": adjusted,
        "flagged": adjusted < level,
    }
    rise = found[f"delta_r2_{kind}"]
    for name, (moderate, large) in _BOUNDS.items():
        small = ~significant | (rise < moderate)
        columns[name] = text(np.where(small, "A", np.where(rise < large, "B", "C")), known)
    better = np.where(found["log_odds"] > 0, design.names[1], design.names[0])
    columns["favours"] = text(better, significant & ~np.isnan(found["log_odds"]))
    columns["converged"] = converged
    return describe(
        design,
        columns,
        measure="logistic",
        purification=purification,
        kind=kind,
        adjust=adjust or "none",
        level=level,
        effect="rise of Nagelkerke's R²",
    )


def _tests(counts: list[Counts]) -> dict[str, FloatArray]:
    """Statistics of every item, by column."""
    rows = [_compare(one) for one in counts]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _compare(counts: Counts) -> dict[str, float]:
    """The three models of one item."""
    groups = len(counts.table) - 1
    seen = counts.table.sum(axis=(0, 1)) > 0
    table = counts.table[:, :, seen]
    if table.shape[2] < 2:
        return dict.fromkeys(_COLUMNS, np.nan)
    n = float(table.sum())
    level = counts.levels - np.average(counts.levels, weights=counts.persons.sum(axis=0))
    total = np.tile(level, groups + 1)
    member = np.repeat(np.eye(groups + 1)[:, 1:], len(level), axis=0)
    cells = table.reshape(-1, table.shape[2])
    used = cells.sum(axis=1) > 0
    cells, total, member = cells[used], total[used, None], member[used]
    fits = [
        fit_cumulative(cells, np.hstack(columns))
        for columns in ([total], [total, member], [total, member, member * total])
    ]
    of_all = cells.sum(axis=0)
    empty = float((of_all * np.log(of_all / n)).sum())
    r2 = [-np.expm1(2 * (empty - fit.loglik) / n) / -np.expm1(2 * empty / n) for fit in fits]
    result: dict[str, float] = {}
    for kind, (small, large) in {"uniform": (0, 1), "nonuniform": (1, 2), "both": (0, 2)}.items():
        # Models that fit alike differ by the error of the iterations, of either sign.
        chi2 = max(2 * (fits[large].loglik - fits[small].loglik), 0.0)
        result[f"chi2_{kind}"] = chi2
        result[f"p_{kind}"] = float(stats.chi2.sf(chi2, groups * (large - small)))
        result[f"delta_r2_{kind}"] = r2[large] - r2[small]
    pair = groups == 1
    result["log_odds"] = float(fits[1].coefficients[1]) if pair else np.nan
    result["log_odds_se"] = float(fits[1].errors[1]) if pair else np.nan
    result["interaction"] = float(fits[2].coefficients[2]) if pair else np.nan
    result["interaction_se"] = float(fits[2].errors[2]) if pair else np.nan
    result["converged"] = float(all(fit.converged for fit in fits))
    return {name: result[name] for name in _COLUMNS}


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
    "converged",
)
