"""A notebook of JupyterLab in a browser: run its cells as a person does, read their outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import nbformat
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from lab_server import PATIENCE, LabServer, chromium

#: Longest wait for something to appear on a page [ms].
SLOW = PATIENCE * 1000

#: Wide enough for a form beside JupyterLab's side bar, high enough for a form and its result.
VIEW = {"width": 1320, "height": 2400}


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium without a window and without background requests."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--disable-gpu", "--disable-quic", "--disable-sync"],
        )
        try:
            yield running
        finally:
            running.close()


def notebook(*cells: str) -> nbformat.NotebookNode:
    """Return a notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return made


class LabPage:
    """A notebook that is open in JupyterLab, with its kernel ready."""

    def __init__(self, page: Page, server: LabServer, path: str) -> None:
        self.page = page
        page.goto(server.address(f"lab/tree/{path}"))
        self.cells = page.locator(".jp-Notebook .jp-CodeCell")
        expect(self.cells.first).to_be_visible(timeout=SLOW)
        # A cell that is run before the kernel is ready is not run at all.
        expect(page.get_by_text("| Idle")).to_be_visible(timeout=SLOW)

    def run(self, cell: Locator) -> Locator:
        """Run a cell with the keyboard, wait for its end, and return its output."""
        prompt = cell.locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before, timeout=SLOW)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=SLOW)
        return cell.locator(".jp-OutputArea")

    def write(self, code: str) -> Locator:
        """Add a cell at the end, as a person does, run it, and return its output."""
        count = self.cells.count()
        self.page.locator(".jp-Notebook .jp-Cell").last.locator(".cm-content").click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        expect(self.cells).to_have_count(count + 1)
        cell = self.cells.nth(count)
        cell.locator(".cm-content").click()
        self.page.keyboard.insert_text(code)
        return self.run(cell)
