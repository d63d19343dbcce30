"""A real JupyterLab in a real browser: the machine's Chromium, driven by Playwright.

Where either is missing, these tests are left out, in one line; with ``LRN_BROWSER=required`` that
is an error.
"""

import importlib.util
import os

from lab_server import chromium

MISSING = [
    name
    for name, found in {
        "Chromium": chromium(),
        "the package playwright": importlib.util.find_spec("playwright"),
        "the package jupyterlab": importlib.util.find_spec("jupyterlab"),
    }.items()
    if not found
]

if MISSING:
    if os.environ.get("LRN_BROWSER") == "required":
        raise RuntimeError(f"LRN_BROWSER=required, but not found: {', '.join(MISSING)}")
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter):
    if MISSING:
        terminalreporter.write_line(
            f"tests/browser left out: {', '.join(MISSING)} not found", yellow=True
        )
