"""binder/: Python and requirements are pinned, complete, and enough to run the quick start."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lab_server import lab_server

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
START = "lab/tree/notebooks/00_quick_start.ipynb"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHON = Version((BINDER / "runtime.txt").read_text().strip().removeprefix("python-"))
LINES = [
    line
    for line in (BINDER / "requirements.txt").read_text().splitlines()
    if not line.startswith("#")
]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


PINNED = {canonical(name): Version(version) for name, version in (x.split("==") for x in LINES)}
NEEDED = [
    Requirement(text)
    for text in PROJECT["dependencies"]
    + PROJECT["optional-dependencies"]["fast"]
    + PROJECT["optional-dependencies"]["lab"]
]


def test_requirements_are_names_and_versions_only():
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in LINES)
    assert len(PINNED) == len(LINES)


@pytest.mark.parametrize("needed", NEEDED, ids=str)
def test_every_dependency_is_pinned_to_a_version_that_it_admits(needed):
    assert PINNED[canonical(needed.name)] in needed.specifier


def test_python_is_one_that_the_package_supports():
    assert PYTHON in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {PYTHON}" in PROJECT["classifiers"]


def test_start_page_is_the_quick_start():
    settings = json.loads((BINDER / "jupyter_config.json").read_text())
    assert {one["default_url"] for one in settings.values()} == {f"/{START}"}
    assert (ROOT / START.removeprefix("lab/tree/")).is_file()


def test_readme_links_to_the_start_page():
    links = re.findall(r"https://mybinder\.org/v2/\S+?(?=[)\s])", (ROOT / "README.md").read_text())
    assert [link.partition("?urlpath=")[2] for link in links] == [START.replace("/", "%2F")]


def test_make_lab_opens_the_start_page():
    recipe = (ROOT / "Makefile").read_text().partition("\nlab:")[2].partition("\n\n")[0]
    assert f"jupyter lab --LabApp.default_url=/{START}" in recipe


def test_repo2docker_takes_the_pins():
    """Writes its recipe only: nothing is built, and no Docker is asked."""
    made = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = made.stdout + made.stderr
    assert made.returncode == 0, said
    assert f"environment for python={PYTHON}" in said
    assert 'install --no-cache-dir -r "binder/requirements.txt"' in said
    assert "RUN ./binder/postBuild" in said
    assert "unspecified" not in said


def version_of(python):
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


@pytest.fixture
def pinned_python(tmp_path):
    """The pinned Python, with the pinned requirements and nothing else."""
    candidates = filter(None, (sys.executable, shutil.which(f"python{PYTHON}")))
    found = next((one for one in candidates if version_of(one) == str(PYTHON)), None)
    if found is None:
        pytest.skip(f"Python {PYTHON}, which binder/ pins, is not on this machine")
    subprocess.run([found, "-m", "venv", tmp_path / "clean"], check=True)
    python = tmp_path / "clean" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "-r", BINDER / "requirements.txt"], check=True
    )
    subprocess.run([python, "-m", "pip", "check"], check=True)
    return python


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_quick_start_runs_with_the_pins_alone(pinned_python, tmp_path):
    """As on Binder: requirements, postBuild, and the notebook on a fresh kernel; no cache."""
    clone = tmp_path / "clone"
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "*.so")
    shutil.copytree(ROOT, clone, ignore=unwanted)
    surroundings = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "LRN_", "JUPYTER", "MPLBACKEND", "VIRTUAL_ENV"))
    } | {"PATH": f"{pinned_python.parent}:{os.environ['PATH']}"}

    subprocess.run(["binder/postBuild"], cwd=clone, env=surroundings, check=True, timeout=300)
    assert not (clone / "build").exists()
    notebook = clone / "notebooks" / "00_quick_start.ipynb"
    done = subprocess.run(
        [pinned_python.parent / "jupyter", "execute", notebook.name],
        cwd=notebook.parent,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr

    (home := tmp_path / "home").mkdir()
    with lab_server(clone, home, str(pinned_python)) as server, server.open("") as page:
        assert page.url == server.url + START
