"""Item response models against one dense E-step in NumPy on the same data.

    python -m benchmarks.bench_irt                    # about a minute
    python -m benchmarks.bench_irt --full             # with 1,000,000 persons × 50 items
    python -m benchmarks.bench_irt --others PYTHON    # beside theta-irt, mirt, girth of that Python

The yardstick is what other programs compute dozens of times: scores @ log-probabilities at 61
nodes, normalise, expected counts. Both sides run warm, alternating, in one process on one thread;
the best CPU time of several runs counts. Standard errors are part of our fits. The other packages
run in processes of their own, on one processor, warm where that matters (see `irt_others`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.report import Claim, cpu_side_by_side, table
from lrnanalysis.measures import irt

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
NODES = np.linspace(-6, 6, 61)
LOGS = -(NODES**2) / 2 - np.log(np.exp(-(NODES**2) / 2).sum())
COMPILED = importlib.util.find_spec("numba") is not None

#: Other packages, and how many times as long as ours they have to take at 100,000 × 50.
OTHERS = {"theta-irt": 20.0, "mirt": 100.0, "girth": None}


@dataclass(frozen=True)
class Case:
    """Data and model of one line, and how many E-steps the whole fit may take."""

    model: str
    persons: int
    items: int
    scores: int = 2
    forms: int = 1
    bound: float = 1
    plain_bound: float | None = None

    def __str__(self) -> str:
        size = f"{self.model} {self.persons:,} × {self.items}"
        size += f" × {self.scores}" * (self.scores > 2)
        return size + f", {self.forms} forms, half missing" * (self.forms > 1)


CASES = [
    Case("2PL", 100_000, 50, bound=1, plain_bound=4),
    Case("2PL", 100_000, 50, forms=10, bound=2),
    Case("GRM", 5_000, 20, scores=5, bound=12),
    Case("GPCM", 5_000, 20, scores=5, bound=12),
    Case("3PL", 10_000, 50, bound=25),
]
LARGE = Case("2PL", 1_000_000, 50, bound=1, plain_bound=4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="1,000,000 persons too, with memory")
    parser.add_argument("--others", metavar="PYTHON", default=sys.executable, help="its packages")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side; the best counts")
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        # NumPy reads the number of threads when it is loaded.
        again = [sys.executable, "-m", "benchmarks.bench_irt", *sys.argv[1:]]
        return subprocess.run(again, env={**os.environ, **ONE_THREAD}, check=False).returncode
    if given.peak:
        print_peak()
        return 0
    claims = [claim for case in CASES for claim in run(case, given.rounds)]
    if given.full:
        claims += [*run(LARGE, 2), *memory()]
    versions = [f"{name} {version(name)}" for name in ["scipy", *["numba"] * COMPILED]]
    print(f"{processor()}, one thread, {', '.join(versions)}")
    print("whole fit with standard errors / one dense E-step at 61 nodes, or as said")
    print(table(claims))
    print()
    claims += others(Case("2PL", 100_000, 50), given.others)
    return 0 if all(claim.met for claim in claims) else 1


def run(case: Case, rounds: int) -> list[Claim]:
    """The lines of one case: compiled where numba is installed, and in NumPy alone."""
    matrix = simulate(case)
    step = dense_step(matrix.to_numpy(), case.scores)
    claims = []
    for compiled in [True, False] if COMPILED else [False]:

        def job(compiled: bool = compiled) -> irt.IRTModel:
            model = irt.fit(matrix, case.model, compiled=compiled)
            _ = model.items
            return model

        passes = job().convergence.iterations
        fit, dense = cpu_side_by_side(job, step, rounds=rounds)
        bound = case.bound if compiled or case.plain_bound is None else case.plain_bound
        claims.append(
            Claim(
                f"{case}, {'compiled' if compiled else 'NumPy alone'}",
                fit / dense,
                bound,
                True,
                f"{fit:.3f} s, {passes} passes; E-step {dense:.4f} s",
            )
        )
        if case.plain_bound is None:
            break
    return claims


def simulate(case: Case, seed: int = 1) -> pd.DataFrame:
    """Scores of the case's model, ability standard normal."""
    rng = np.random.default_rng(seed)
    slopes = rng.uniform(0.7, 2.0, case.items)
    theta = rng.normal(size=case.persons)
    found = np.zeros((case.items, case.persons))
    for slope, row in zip(slopes, found, strict=True):
        cuts = np.sort(rng.normal(size=case.scores - 1))
        logits = slope * (theta[:, None] - cuts)
        if case.model == "GPCM":
            terms = np.exp(np.cumsum(logits, axis=1))
            shares = np.cumsum(terms[:, ::-1], axis=1)[:, ::-1]
            above = shares / (1 + shares[:, :1])
        else:
            above = 1 / (1 + np.exp(-logits))
        row[:] = (rng.random((case.persons, 1)) < above).sum(axis=1)
        if case.model == "3PL":
            row[rng.random(case.persons) < 0.2] = 1.0
    if case.forms > 1:
        form = rng.integers(0, case.forms, case.persons)
        first = np.arange(case.forms)[:, None] * case.items // case.forms
        shown = (np.arange(case.items) - first) % case.items < case.items // 2
        found[~shown[form].T] = np.nan
    names = [f"item-{number}" for number in range(case.items)]
    return pd.DataFrame(found.T, columns=names, copy=False)


def dense_step(scores: np.ndarray, count: int) -> Callable[[], object]:
    """One E-step as usually written, on data laid out for it; any parameters cost the same."""
    rng = np.random.default_rng(0)
    items = scores.shape[1]
    z = rng.uniform(0.7, 2, (items, 1)) * NODES + rng.normal(size=(items, 1))
    one, nought = -np.logaddexp(0, -z), -np.logaddexp(0, z)
    if count > 2:
        dense = np.concatenate([scores == score for score in range(count)], axis=1).astype(float)
        logs = np.tile(one, (count, 1))
        return lambda: normalise(dense @ logs, dense)
    there = ~np.isnan(scores)
    if there.all():
        dense = np.ascontiguousarray(scores)
        return lambda: normalise(dense @ (one - nought) + nought.sum(axis=0), dense)
    filled, mask = np.nan_to_num(scores), there.astype(float)
    return lambda: normalise(filled @ (one - nought) + mask @ nought, filled, mask)


def normalise(logs: np.ndarray, *dense: np.ndarray) -> object:
    """Log-likelihood, persons by node, expected counts."""
    logs += LOGS
    most = logs.max(axis=1)
    logs -= most[:, None]
    np.exp(logs, out=logs)
    total = logs.sum(axis=1)
    logs /= total[:, None]
    return (most + np.log(total)).sum(), logs.sum(axis=0), [part.T @ logs for part in dense]


def memory() -> list[Claim]:
    """Most memory of the large fit above what the process holds with the data (Linux)."""
    if sys.platform != "linux":
        return []
    command = [sys.executable, "-m", "benchmarks.bench_irt", "--peak"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    megabytes = float(done.stdout)
    return [Claim(f"{LARGE}: memory above the data [MB]", megabytes, 500, True, "peak resident")]


def print_peak() -> None:
    """Print what `memory` measures in a process of its own."""
    irt.fit(simulate(Case("2PL", 20_000, LARGE.items)))  # loads what is loaded once
    matrix = simulate(LARGE)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    _ = irt.fit(matrix).items
    print((resident("VmHWM") - before) / 1e6)


def resident(mark: str) -> int:
    """One of the kernel's figures of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(mark))


def others(case: Case, python: str) -> list[Claim]:
    """The same data in other packages, as far as they are installed."""
    matrix = simulate(case)

    def job() -> irt.IRTModel:
        model = irt.fit(matrix, case.model)
        _ = model.items
        return model

    items = job().items
    (ours,) = cpu_side_by_side(job, rounds=5)
    print(f"{case}: {ours:.3f} s with standard errors; other packages on the same data:\n")
    claims = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.npy"
        np.save(path, matrix.to_numpy(dtype=np.int8))
        script = Path(__file__).with_name("irt_others.py")
        for name, bound in OTHERS.items():
            command = [python, str(script), name, str(path)]
            environment = {**os.environ, **ONE_THREAD, "RAYON_NUM_THREADS": "1"}
            done = subprocess.run(
                command, env=environment, check=False, capture_output=True, text=True
            )
            if done.returncode:
                print(f"{name}: skipped, {(done.stderr.strip() or 'no message').splitlines()[-1]}")
                continue
            report = json.loads(done.stdout.splitlines()[-1])
            apart = np.abs(np.array(report["slopes"]) - items["a"]) / items["a_se"]
            print(
                f"{name} {report['version']}: {report['seconds']:.2f} s, {report['what']}; slopes "
                f"differ from ours by at most {apart.max():.2g} standard errors"
            )
            if bound is not None:
                ratio = report["seconds"] / ours
                claims.append(Claim(f"{name}, times as long", ratio, bound, False, report["what"]))
            else:
                print(f"  {report['seconds'] / ours:.0f} times as long")
    if claims:
        print("\n" + table(claims))
    return claims


def processor() -> str:
    """The processor's name, as Linux has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
