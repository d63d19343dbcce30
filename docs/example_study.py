"""Simulate the bundled study of `load_example` anew: ``python docs/example_study.py``."""

import gzip
import sys
from pathlib import Path

from lrnanalysis.simulation import simulate

EXAMPLE = Path(__file__).resolve().parent.parent / "lrnanalysis" / "example"


def write_example(folder: Path) -> None:
    """Write the study's records, and its truth as one Parquet file per table."""
    simulation = simulate(learners=300, items=20, seed=2026, activity="example")
    # Without time and name in the header, the same study gives the same bytes.
    with (
        (folder / "sessions.jsonl.gz").open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as lines,
    ):
        for record in simulation.records():
            lines.write(record + b"\n")
    for name in ("persons", "items", "sessions"):
        simulation.truth[name].to_parquet(folder / f"truth-{name}.parquet", index=False)


if __name__ == "__main__":
    write_example(Path(sys.argv[1]) if sys.argv[1:] else EXAMPLE)
