"""The bundled study of `lrnanalysis.load_example`: ``python -m lrnanalysis.sandbox.example``."""

from __future__ import annotations

import gzip
from pathlib import Path

from lrnanalysis.sandbox.simulate import simulate

__all__ = ["write_example"]

_TRUTH = ("persons", "items", "sessions")


def write_example(folder: Path) -> None:
    """Simulate the bundled study anew and write its records and its truth.

    Parameters
    ----------
    folder : Path
        Gets ``sessions.jsonl.gz`` and a Parquet file a truth table.
    """
    simulation = simulate(learners=300, items=20, seed=2026, activity="example")
    folder.mkdir(parents=True, exist_ok=True)
    # No time and no name inside, so that the same study is the same bytes.
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
