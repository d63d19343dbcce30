"""The bundled study is the one that its script simulates."""

import gzip
import importlib.util
from pathlib import Path

import pandas as pd

import lrnanalysis

EXAMPLE = Path(lrnanalysis.__file__).parent / "example"
SCRIPT = Path(__file__).parents[2] / "docs" / "example_study.py"


def test_the_bundled_study_can_be_simulated_anew(tmp_path):
    spec = importlib.util.spec_from_file_location("example_study", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.write_example(tmp_path)
    bundled, written = (
        gzip.decompress((folder / "sessions.jsonl.gz").read_bytes())
        for folder in (EXAMPLE, tmp_path)
    )
    assert written == bundled
    tables = sorted(path.name for path in EXAMPLE.glob("*.parquet"))
    assert tables == ["truth-items.parquet", "truth-persons.parquet", "truth-sessions.parquet"]
    for name in tables:
        pd.testing.assert_frame_equal(
            pd.read_parquet(EXAMPLE / name), pd.read_parquet(tmp_path / name)
        )
