"""The rooms of the package: each imports only from those above it, and importing it stays cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lrnanalysis"

#: Rooms from the ground up; a room imports only from those before it, also for annotations.
ROOMS = [
    "errors",
    "warnings",
    "tables",
    "arguments",
    "api",
    "parse",
    "io",
    "measures",
    "forwarding",
    "accessor",
    "plots",
    "analysis",
    "study",
    "loading",
    "simulation",
    "sandbox",
    "forms",
    "cli",
    "__main__",
]
HEAVY = ["matplotlib", "ipywidgets", "numba", "dask", "deltalake", "requests", "uvicorn", "scipy"]


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(name):
    return name.split(".")[1] if name.startswith("lrnanalysis.") else None


def room_of(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = [
    file
    for file in sorted(PACKAGE.rglob("*.py"))
    if file.relative_to(PACKAGE).parts[0] != "__init__.py"
]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_room_imports_from_those_above_it(file):
    own = room_of(file)
    assert own in ROOMS, f"{own} has no place among the rooms"
    for name in imports(file):
        used = room(name)
        if used in ROOMS and used != own:
            assert ROOMS.index(used) < ROOMS.index(own), f"{own} imports {used}, which is below it"


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_room_takes_the_detour_through_the_accessor(file):
    if ROOMS.index(room_of(file)) > ROOMS.index("accessor"):
        return
    used = [
        node.lineno
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "lrn"
    ]
    assert not used, f"{file} reaches other rooms through .lrn in lines {used}"


def test_measures_import_no_input_or_output():
    for file in (PACKAGE / "measures").rglob("*.py"):
        used = {room(name) for name in imports(file)} - {None}
        assert used <= {"errors", "warnings", "tables", "arguments", "measures"}, file


def circle(graph):
    """A path of modules that leads back to its first; empty where there is none."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        path.append(module)
        for used in graph[module]:
            found = visit(used)
            if found:
                return found
        path.pop()
        done.add(module)
        return []

    return next((found for module in graph if (found := visit(module))), [])


def test_no_module_imports_itself_by_a_detour():
    names = {
        ".".join(["lrnanalysis", *file.relative_to(PACKAGE).with_suffix("").parts]): file
        for file in MODULES
    }
    names = {name.removesuffix(".__init__"): file for name, file in names.items()}
    graph = {}
    for name, file in names.items():
        used = set()
        for target in imports(file):
            module = target if target in names else target.rpartition(".")[0]
            if module in names and module != name and not name.startswith(f"{module}."):
                used.add(module)
        graph[name] = sorted(used)
    assert circle(graph) == []


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
