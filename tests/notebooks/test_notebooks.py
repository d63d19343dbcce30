"""The notebooks run on fresh kernels, read well as they are stored, and hold no secret."""

import base64
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lrnanalysis import sandbox

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SUBJECTS = [
    "00_quick_start",
    "01_fetching_forms_polling",
    "02_time_on_task",
    "03_effort_and_rapid_guessing",
    "04_item_analysis_and_distractors",
    "05_item_response_models",
    "06_speed_and_ability",
    "07_fairness_dif",
    "08_sharing_data",
]
#: Those that compare results with the truth of a simulation.
COMPARED = [one for one in SUBJECTS if one[:2] in ("02", "03", "05", "06", "07")]


def nbval(file, root):
    """Run a notebook as its reader does, by pytest with nbval."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbval-lax",
            "--nbval-current-env",
            f"--nbval-sanitize-with={FOLDER / 'sanitise.cfg'}",
            "-p",
            "no:cacheprovider",
            "-q",
            "--no-header",
            f"--rootdir={root}",
            "-c",
            "/dev/null",
            str(file),
        ],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=110,
    )


def cells(file, kind="code"):
    return [one for one in nbformat.read(file, 4).cells if one.cell_type == kind]


def outputs(file):
    return [output for cell in cells(file) for output in cell.outputs]


def test_all_subjects_are_there():
    assert [file.stem for file in NOTEBOOKS] == SUBJECTS


@pytest.mark.slow
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_runs_on_a_fresh_kernel_and_gives_the_tables_that_are_stored(file):
    done = nbval(file, root=FOLDER)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert f"{len(cells(file))} passed" in done.stdout


@pytest.fixture
def copy(tmp_path):
    """The quick start, to be broken."""
    return Path(shutil.copy(FOLDER / "00_quick_start.ipynb", tmp_path))


@pytest.mark.slow
def test_a_table_that_changed_fails(copy):
    notebook = nbformat.read(copy, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    (number,) = [at for at, cell in enumerate(code) if "status_counts" in cell.source]
    data = code[number].outputs[0].data
    for kind in data:
        data[kind] = data[kind].replace("258", "257")
    nbformat.write(notebook, copy)
    done = nbval(copy, root=copy.parent)
    assert done.returncode == 1
    assert re.search(r"1 failed, \d+ passed", done.stdout)
    assert f"::Cell {number}" in done.stdout
    assert "257" in done.stdout
    assert "status_counts" in done.stdout


@pytest.mark.slow
def test_a_cell_that_raises_fails(copy):
    notebook = nbformat.read(copy, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code[-1].source = "analysis.sessions.lrn.no_such_measure()"
    nbformat.write(notebook, copy)
    done = nbval(copy, root=copy.parent)
    assert done.returncode == 1
    assert re.search(r"1 failed, \d+ passed", done.stdout)
    assert f"::Cell {len(code) - 1}" in done.stdout
    assert "no_such_measure" in done.stdout


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_stored_as_it_is_read(file):
    notebook = nbformat.read(file, 4)
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert not [output for output in outputs(file) if output.output_type == "error"]
    assert not [
        one for one in outputs(file) if any("widget" in kind for kind in one.get("data", {}))
    ]
    assert not [output for output in outputs(file) if output.get("name") == "stderr"]
    assert all(cell.execution_count for cell in cells(file)), "run notebooks/execute.py"
    assert all("execution" not in cell.metadata for cell in notebook.cells)
    assert file.stat().st_size < 600_000


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_has_a_question_a_checked_result_a_reference_and_a_picture(file):
    words = "\n".join(cell.source for cell in cells(file, "markdown"))
    assert words.startswith("# ")
    assert "**Question.**" in words
    assert "**Method.**" in words
    assert re.search(r"\b(?:19|20)\d\d\b|RFC \d+|Reference:", words)
    assert any("nbval-check-output" in cell.metadata.get("tags", []) for cell in cells(file))
    assert not any("NBVAL" in cell.source for cell in cells(file))
    pictures = [
        one["data"]["image/png"] for one in outputs(file) if "image/png" in one.get("data", {})
    ]
    assert pictures
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)


@pytest.mark.parametrize("name", COMPARED)
def test_what_is_concluded_from_the_truth_is_asserted(name):
    """Running it fails once the numbers no longer show what the text says."""
    (file,) = [one for one in NOTEBOOKS if one.stem == name]
    assert re.search(r"^assert ", "\n".join(cell.source for cell in cells(file)), re.M)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_holds_no_secret_and_no_place_of_a_machine(file):
    text = file.read_text()
    for secret in (sandbox.CONSUMER_SECRET, sandbox.CONSUMER_KEY, str(FOLDER.parent)):
        assert secret not in text
    assert not re.search(r"/(?:home|root|Users|tmp|work|opt)/|127\.0\.0\.1:\d", text)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_images_and_links_lead_somewhere(file):
    for cell in cells(file, "markdown"):
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", cell.source):
            assert (FOLDER / target).exists(), target
