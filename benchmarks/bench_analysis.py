"""An analysis against the sum that everybody writes: `items.groupby("session_id")["time"].sum()`.

    python -m benchmarks.bench_analysis            # 20,000 sessions, some seconds
    python -m benchmarks.bench_analysis --full     # 100,000 sessions

All sides run in this process, by turns; the best of several runs counts.
"""

import argparse
import sys

import numpy as np
import pandas as pd

from benchmarks.bench_measures import long_tables
from benchmarks.report import Claim, cpu_side_by_side, table
from lrnanalysis.analysis import Analysis, Decisions


def sessions_of(items: pd.DataFrame) -> pd.DataFrame:
    """A sessions table: one activity, 4 % of learners come again, some sessions do not count."""
    ids = items["session_id"].drop_duplicates().to_numpy()
    rng = np.random.default_rng(2)
    learners = np.arange(len(ids)) % int(len(ids) * 0.96)
    start = pd.Timestamp("2026-01-01", tz="UTC")
    return pd.DataFrame(
        {
            "session_id": pd.Series(ids, dtype="str"),
            "user_id": pd.Series(learners).map("u{}".format).astype("str"),
            "activity_id": pd.Categorical(np.repeat("a", len(ids))),
            "status": pd.Categorical(
                rng.choice(
                    ["Completed", "Pending Scoring", "Discarded"], len(ids), p=[0.9, 0.05, 0.05]
                )
            ),
            "score": 1.0,
            "max_score": 1.0,
            "dt_started": start + pd.to_timedelta(rng.integers(0, 10**6, len(ids)), unit="s"),
        }
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="100,000 sessions")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side")
    given = parser.parse_args()
    items, responses = long_tables(100_000 if given.full else 20_000, 30)
    sessions = sessions_of(items)

    def analysis() -> Analysis:
        return Analysis(sessions, responses, items, Decisions())

    ready = analysis()

    def matrices() -> None:
        made = analysis()
        _ = made.scores, made.times, made.cells

    plain, making, all_three = cpu_side_by_side(
        lambda: items.groupby("session_id")["time"].sum(), analysis, matrices, rounds=given.rounds
    )
    claims = [
        Claim(
            f"study.analysis(), {len(sessions):,} sessions × 30 items, groupby().sum() = 1",
            making / plain,
            4.0,
            True,
            f"{making:.2f} s, {plain:.2f} s",
        ),
        Claim(
            "the same with filtered tables, scores, times and cells",
            all_three / plain,
            25.0,
            True,
            f"{all_three:.2f} s; {ready.n_persons:,} persons",
        ),
    ]
    print(table(claims))
    return int(not all(claim.met for claim in claims))


if __name__ == "__main__":
    sys.exit(main())
