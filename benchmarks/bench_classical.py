"""Item statistics, reliability, distractors and DIF against the plain pandas a user would write.

    python benchmarks/bench_classical.py            # a fifth of the persons, some seconds
    python benchmarks/bench_classical.py --full     # 100,000 persons × 50 items

Both sides of every ratio run in this process, by turns; the best of several runs counts.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from lrnanalysis.measures import classical, dif

ITEMS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="100,000 persons")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side; the best counts")
    given = parser.parse_args()
    persons = 100_000 if given.full else 20_000
    matrix, group = scores(persons)
    gaps = matrix.mask(np.random.default_rng(2).random(matrix.shape) < 0.1)
    taken = choices(matrix)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, pandas {pd.__version__}, "
        f"NumPy {np.__version__}; {persons:,} × {ITEMS}"
    )
    ours: dict[str, Callable[[], object]] = {
        "item_statistics": lambda: classical.item_statistics(matrix),
        "item_statistics, 10 % missing": lambda: classical.item_statistics(gaps),
        "reliability": lambda: classical.reliability(matrix),
        "reliability, 10 % missing": lambda: classical.reliability(gaps),
        "distractors": lambda: classical.distractors(taken, matrix),
        "dif.mantel_haenszel": lambda: dif.mantel_haenszel(matrix, group),
        "dif.standardisation": lambda: dif.standardisation(matrix, group),
        "dif.logistic": lambda: dif.logistic(matrix, group),
    }
    plain: dict[str, Callable[[], object]] = {
        "item_statistics": lambda: item_rest(matrix),
        "item_statistics, 10 % missing": lambda: item_rest(gaps),
        "reliability": lambda: alpha(matrix),
        "reliability, 10 % missing": lambda: alpha(gaps),
    }
    for name, job in ours.items():
        seconds = best(job, given.rounds)
        beside = ""
        if name in plain:
            other = best(plain[name], given.rounds)
            beside = f"   plain pandas {other:.3f} s, {other / seconds:.1f} times as long"
        print(f"{name:32} {seconds:.3f} s{beside}")


def scores(persons: int) -> tuple[pd.DataFrame, pd.Series]:
    """Rasch scores and a group."""
    rng = np.random.default_rng(1)
    logit = rng.normal(size=(1, persons)) - rng.normal(size=(ITEMS, 1))
    right = logit + rng.logistic(size=(ITEMS, persons)) > 0
    names = [f"item-{number}" for number in range(ITEMS)]
    matrix = pd.DataFrame(right.astype(float).T, columns=names)
    return matrix, pd.Series(rng.choice(["a", "b"], persons))


def choices(matrix: pd.DataFrame) -> pd.DataFrame:
    """Four options an item, the first correct."""
    rng = np.random.default_rng(3)
    right = matrix.to_numpy() == 1
    option = np.where(right, 0, rng.integers(1, 4, right.shape))
    item = np.tile(np.arange(ITEMS), len(matrix))
    return pd.DataFrame(
        {
            "session_id": np.repeat(matrix.index.to_numpy(), ITEMS),
            "item_reference": pd.Categorical.from_codes(item, matrix.columns),
            "choice": pd.Categorical.from_codes(option.ravel(), list("ABCD")),
        }
    )


def item_rest(matrix: pd.DataFrame) -> pd.Series:
    """Corrected item–rest correlations only, as plain pandas has them."""
    return pd.Series(
        {item: matrix[item].corr(matrix.drop(columns=item).mean(axis=1)) for item in matrix}
    )


def alpha(matrix: pd.DataFrame) -> float:
    """Alpha only."""
    covariance = matrix.cov()
    k = len(covariance)
    return k / (k - 1) * (1 - np.trace(covariance) / covariance.to_numpy().sum())


def best(job: Callable[[], object], rounds: int) -> float:
    """Shortest time of a job [s]."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        job()
        taken.append(time.perf_counter() - started)
    return min(taken)


if __name__ == "__main__":
    main()
