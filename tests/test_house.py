"""The house: modules import only from those above them, and importing the package stays cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lrnanalysis"

#: Modules and packages from the ground up; a module imports only from those before it.
ORDER = [
    "errors",
    "schema",
    "times",
    "query",
    "credentials",
    "ratelimit",
    "client",
    "crawl",
    "parse",
    "records",
    "checks",
    "pseudonyms",
    "selection",
    "exports",
    "files",
    "data",
    "loading",
    "store",
    "measures",
    "plots",
    "accessor",
    "sandbox",
    "forms",
    "dask",
    "cli",
    "__main__",
]
HEAVY = ["matplotlib", "ipywidgets", "numba", "dask", "deltalake", "requests", "uvicorn", "scipy"]


def imports(file):
    tree = ast.parse(file.read_text())
    typed = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typed:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(name):
    return name.split(".")[1] if name.startswith("lrnanalysis.") else None


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_upwards(file):
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    assert own in ORDER, f"{own} has no place in the order of modules"
    for name in imports(file):
        used = room(name)
        if used in ORDER and used != own:
            assert ORDER.index(used) < ORDER.index(own), f"{own} imports {used}, which is below it"


def test_measures_import_no_input_or_output():
    for file in (PACKAGE / "measures").rglob("*.py"):
        used = {room(name) for name in imports(file)} - {None}
        assert used <= {"errors", "schema", "measures"}, file


def test_import_loads_no_heavy_package():
    script = f"import sys, lrnanalysis; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_public_names_are_there():
    import lrnanalysis as lrn

    for name in lrn.__all__:
        assert getattr(lrn, name) is not None
    assert set(lrn.__all__) <= set(dir(lrn))
    with pytest.raises(AttributeError, match="no attribute 'fetsch'"):
        _ = lrn.fetsch
