"""Run the notebooks anew and store their outputs: ``python notebooks/execute.py [notebook …]``.

What would differ from run to run is not stored: time stamps, the version of Python, and widgets,
which without their state show nothing; the line of text that stands for a widget is kept.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(file: Path) -> None:
    """Run one notebook on a fresh kernel and write it back with its outputs."""
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(HERE)}},
        record_timing=False,
        store_widget_state=False,
    )
    client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    nbformat.write(notebook, file)


def main() -> None:
    """Run the notebooks that were named, or all."""
    for file in [Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("*.ipynb")):
        print(file.name, flush=True)
        execute(file)


if __name__ == "__main__":
    main()
