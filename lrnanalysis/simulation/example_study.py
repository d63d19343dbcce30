"""Simulates the bundled study of `lrnanalysis.load_example`.

``python -m lrnanalysis.simulation.example_study`` writes it anew.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from lrnanalysis.simulation.simulate import simulate

__all__ = ["write_example"]

_TRUTH = ("persons", "items", "sessions")


def write_example(folder: Path) -> None:
    """Simulate the bundled study, and write its records and its truth.

    Parameters
    ----------
    folder : Path
        Receives ``sessions.jsonl.gz`` and one Parquet file per truth table.
    """
    simulation = simulate(learners=300, items=20, seed=2026, activity="example")
    folder.mkdir(parents=True, exist_ok=True)
    # Without time and name in the header, the same study gives the same bytes.
    with (
        (folder / "sessions.jsonl.gz").open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as lines,
    ):
        for record in simulation.records():
            lines.write(record + b"\n")
    for name in _TRUTH:
        simulation.truth[name].to_parquet(folder / f"truth-{name}.parquet", index=False)


if __name__ == "__main__":
    write_example(Path(__file__).parent.parent / "example")
