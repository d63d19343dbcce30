"""Time on task, scores, effort and speed against the plain pandas and NumPy that one would write.

    python benchmarks/bench_measures.py            # a fifth of the persons, some seconds
    python benchmarks/bench_measures.py --full     # 100,000 persons

Both sides of every ratio run in this process, by turns; the best of several runs counts.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lrnanalysis.measures import answer_decoding, effort, response_time, scores, timing


def pivot(items: pd.DataFrame, column: str) -> pd.DataFrame:
    """The matrix that one would make with pandas alone."""
    return items.pivot_table(
        index="session_id", columns="item_reference", values=column, observed=True
    )


MATRICES = {
    "score_matrix": scores.score_matrix,
    "time_matrix": timing.time_matrix,
    "pivot_table": lambda items: pivot(items, "score"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="100,000 persons")
    parser.add_argument("--persons", type=int, help="another number of persons")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side; the best counts")
    parser.add_argument("--peak", choices=MATRICES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    persons = given.persons or (100_000 if given.full else 20_000)
    if given.peak:
        print_peak(given.peak, persons)
        return
    print(
        f"{platform.machine()}, Python {platform.python_version()}, pandas {pd.__version__}, "
        f"NumPy {np.__version__}, pyarrow {pa.__version__}; {persons:,} persons"
    )
    items, responses = long_tables(persons, 30)
    print(f"\n{len(items):,} item rows ({persons:,} × 30)")
    bench_tables(items, responses, given.rounds)
    print(f"\n{persons:,} × 30 matrix of times")
    bench_effort(items, given.rounds)
    print(f"\nlognormal model, {persons:,} × 50")
    bench_speed(persons, given.rounds)


def bench_tables(items: pd.DataFrame, responses: pd.DataFrame, rounds: int) -> None:
    compare(
        "active time per session",
        lambda: timing.active_time(items),
        {
            "groupby(sort=False).sum": lambda: items.groupby("session_id", sort=False)[
                "time"
            ].sum(),
            "groupby.sum": lambda: items.groupby("session_id")["time"].sum(),
        },
        rounds,
        "at most 1.5 times",
        lambda ratio: ratio <= 1.5,
        inverse=True,
    )
    for name, column in (("score_matrix", "score"), ("time_matrix", "time")):
        compare(
            name,
            lambda matrix=MATRICES[name]: matrix(items),
            {"pivot_table": lambda column=column: pivot(items, column)},
            rounds,
            "at most 4 times",
            lambda ratio: ratio <= 4,
            inverse=True,
        )
    if sys.platform == "linux":
        persons = items["session_id"].nunique()
        sizes = {name: peak(name, persons) for name in MATRICES}
        for name in ("score_matrix", "time_matrix"):
            share = sizes[name] / sizes["pivot_table"]
            report(
                f"{name}: peak memory",
                f"{sizes[name]:.1f} matrices, pivot_table {sizes['pivot_table']:.1f}: {share:.2f} "
                "times its memory",
                "at most 0.6 times",
                share <= 0.6,
            )
    compare(
        "score_matrix with responses",
        lambda: scores.score_matrix(items, responses),
        {"merge, where, pivot": lambda: plain_scores(items, responses)},
        max(rounds // 2, 1),
    )
    compare("cell_matrix", lambda: scores.cell_matrix(items), {}, rounds)
    compare("time_summary", lambda: timing.time_summary(items), {}, max(rounds // 2, 1))
    some = responses.iloc[: min(len(responses), 300_000)]
    compare(
        f"choices of {len(some):,} responses",
        lambda: answer_decoding.choices(some),
        {"map(json.loads).explode": lambda: some["value"].map(json.loads).explode()},
        max(rounds // 2, 1),
    )


def bench_effort(items: pd.DataFrame, rounds: int) -> None:
    matrix = timing.time_matrix(items)
    values = matrix.to_numpy()
    limits = values.mean(axis=0) * 0.1
    compare(
        "NT10 thresholds, flags, RTE and RTF",
        lambda: effort.screen(matrix),
        {"one NumPy comparison": lambda: values < limits},
        rounds * 4,
        "at most 12 passes",
        lambda ratio: ratio <= 12,
        inverse=True,
    )


def bench_speed(persons: int, rounds: int) -> None:
    rng = np.random.default_rng(1)
    beta, sigma = rng.normal(3.5, 0.5, 50), rng.uniform(0.3, 0.7, 50)
    logs = beta - rng.normal(0, 0.35, (persons, 1)) + sigma * rng.normal(size=(persons, 50))
    whole = np.exp(logs)
    form = (np.arange(50)[None, :] + 5 * np.arange(10)[:, None]) % 50 < 25
    planned = np.where(form[rng.integers(0, 10, persons)], whole, np.nan)
    scattered = np.where(rng.random(whole.shape) < 0.05, np.nan, whole)
    for name, values in (
        ("complete", whole),
        ("ten forms, half missing", planned),
        ("5 % missing at random", scattered),
    ):
        frame = pd.DataFrame(np.asfortranarray(values), copy=False)
        rows = np.ascontiguousarray(values)
        kept: dict[str, float] = {}

        def ours(frame: pd.DataFrame = frame, kept: dict[str, float] = kept) -> None:
            kept["ours"] = response_time.lognormal(frame).loglik

        def plain(rows: np.ndarray = rows, kept: dict[str, float] = kept) -> None:
            kept["plain"] = plain_em(rows)

        compare(
            f"{name}, with SEs",
            ours,
            {"plain EM without SEs": plain},
            max(rounds // 2, 1),
            "at least 20 times faster",
            lambda ratio: ratio >= 20,
        )
        apart = abs(kept["ours"] / kept["plain"] - 1)
        report(f"{name}: logLik", f"relative difference {apart:.0e}", "at most 1e-6", apart <= 1e-6)


def long_tables(persons: int, items: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items and responses of complete sessions, whose rows follow each other."""
    rng = np.random.default_rng(1)
    n = persons * items
    ids = pd.Series([str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(persons)], dtype="str")
    session = ids.repeat(items).reset_index(drop=True)
    item = pd.Categorical.from_codes(
        np.tile(np.arange(items), persons), [f"item-{at:02d}" for at in range(items)]
    )
    score = (rng.random(n) < 0.6).astype(float)
    table = pd.DataFrame(
        {
            "session_id": session,
            "item_reference": item,
            "position": pd.array(np.tile(np.arange(1, items + 1), persons), dtype="Int64"),
            "time": np.round(rng.lognormal(3.5, 0.5, n)) + 1,
            "score": score,
            "max_score": 1.0,
        }
    )
    options = pd.Series(['["0"]', '["1"]', '["2"]', '["0","3"]'], dtype="str")
    responses = pd.DataFrame(
        {
            "session_id": session,
            "item_reference": item,
            "question_type": pd.Categorical(["mcq"] * n),
            "attempted": pd.array(rng.random(n) < 0.97, dtype="boolean"),
            "automarkable": pd.array(np.ones(n, dtype=bool), dtype="boolean"),
            "score": score,
            "max_score": 1.0,
            "value": options.take(rng.integers(0, 4, n)).reset_index(drop=True),
        }
    )
    return table, responses


def plain_scores(items: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Omitted as 0, not reached as missing, as one would write it in pandas."""
    keys = ["session_id", "item_reference"]
    any_answer = responses.groupby(keys, observed=True, sort=False)["attempted"].any()
    table = items.merge(any_answer.rename("answered").reset_index(), on=keys, how="left")
    table = table.sort_values(["session_id", "position"])
    reached = table.iloc[::-1].groupby("session_id", sort=False)["answered"].cummax().iloc[::-1]
    table["value"] = table["score"].where(table["answered"], 0.0).where(reached)
    return table.pivot(index="session_id", columns="item_reference", values="value")


def plain_em(times: np.ndarray, tolerance: float = 1e-6, most: int = 500) -> float:
    """The closed-form EM with masks; stops when no parameter moves by more than `tolerance`."""
    y = np.log(times)
    there = ~np.isnan(y)
    y = np.where(there, y, 0.0)
    n = there.sum(axis=0)
    beta = y.sum(axis=0) / n
    sigma2 = np.where(there, (y - beta) ** 2, 0.0).sum(axis=0) / n
    s2 = float(sigma2.mean()) / 2
    for _ in range(most):
        before = np.concatenate([beta, np.log(sigma2), [np.log(s2)]])
        a = there / sigma2
        v = 1 / (1 / s2 + a.sum(axis=1))
        m = v * (a * (beta - y)).sum(axis=1)
        beta = np.where(there, y + m[:, None], 0.0).sum(axis=0) / n
        errors = np.where(there, (y - beta + m[:, None]) ** 2 + v[:, None], 0.0)
        sigma2 = errors.sum(axis=0) / n
        s2 = (m**2 + v).mean()
        if np.abs(np.concatenate([beta, np.log(sigma2), [np.log(s2)]]) - before).max() < tolerance:
            break
    a = there / sigma2
    c, r = a.sum(axis=1), (a * (y - beta)).sum(axis=1)
    squares = (a * (y - beta) ** 2).sum()
    logs = (n * np.log(2 * np.pi * sigma2)).sum() + np.log1p(s2 * c).sum()
    return float(-0.5 * (logs + squares - (r**2 / (1 / s2 + c)).sum()))


def compare(
    name: str,
    ours: Callable[[], object],
    others: dict[str, Callable[[], object]],
    rounds: int,
    goal: str = "",
    met: Callable[[float], bool] | None = None,
    *,
    inverse: bool = False,
) -> None:
    """Run both sides by turns and print the ratio to the best of the others."""
    sides = {"": ours, **others}
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(rounds):
        for side, run in sides.items():
            start = time.perf_counter()
            run()
            best[side] = min(best[side], time.perf_counter() - start)
    mine = best.pop("")
    if not others:
        report(name, f"{1e3 * mine:.0f} ms", "", None)
        return
    other = min(best, key=best.__getitem__)
    ratio = mine / best[other] if inverse else best[other] / mine
    word = "times its time" if inverse else "times faster"
    digits = 1 if mine < 0.1 else 0
    report(
        name,
        f"{1e3 * mine:.{digits}f} ms, {other} {1e3 * best[other]:.{digits}f} ms: "
        f"{ratio:.2f} {word}",
        goal,
        met(ratio) if met else None,
    )


def peak(name: str, persons: int) -> float:
    """Peak memory while a matrix is made, the matrix included [times the matrix].

    In a process of its own, by the kernel's mark of the most resident memory (Linux).
    """
    command = [sys.executable, __file__, "--peak", name, "--persons", str(persons)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def print_peak(name: str, persons: int) -> None:
    """What `peak` runs."""
    matrix = MATRICES[name]
    matrix(long_tables(50, 30)[0])  # loads what is loaded once
    items, _ = long_tables(persons, 30)
    pa.default_memory_pool().release_unused()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    result = matrix(items)
    print((memory("VmHWM") - before) / result.to_numpy().nbytes)


def memory(mark: str) -> int:
    """One of the kernel's marks of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(mark))


def report(name: str, value: str, goal: str, met: bool | None) -> None:
    if not goal:
        mark = ""
    elif "--full" in sys.argv:
        mark = f"; goal: {goal} ({'met' if met else 'NOT MET'})"
    else:
        mark = f"; goal at --full: {goal}"
    print(f"  {name:38} {value}{mark}")


if __name__ == "__main__":
    main()
