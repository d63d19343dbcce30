"""Make the README's screenshots anew: ``python docs/screenshots.py``.

They are of a real JupyterLab in the machine's Chromium, as in ``tests/browser``: the form after a
fetch from the embedded Data API, and two cells with their pictures, of the bundled example.
"""

import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
sys.path[:0] = [str(ROOT / "tests" / "support")]

import nbformat  # noqa: E402
from playwright.sync_api import Locator, expect  # noqa: E402

from lab_page import VIEW, LabPage, browser, notebook  # noqa: E402
from lab_server import lab_server  # noqa: E402

FORM = 'form = lrn.FetchForm(lrn.Query(activity_id="demo", status="Completed"))\nform'
PICTURES = {
    "times": (
        'analysis = study.analysis()\nanalysis.plot.times("item-05", thresholds=["nt10", 5])'
    ),
    "wright-map": 'model = analysis.fit("GRM")\nanalysis.plot.wright_map(model)',
}
START = """
%config InlineBackend.figure_formats = ["retina"]
import lrnanalysis as lrn
study = lrn.load_example()
"""


def save(shown: Locator, name: str) -> None:
    """Save what is on the page as a PNG."""
    file = IMAGES / f"{name}.png"
    shown.screenshot(path=file)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1024:.0f} kB")


def main() -> None:
    """Run a notebook in a browser, and save what is to be seen."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        root, home = Path(place, "root"), Path(place, "home")
        root.mkdir()
        home.mkdir()
        nbformat.write(notebook(START.strip()), root / "screenshots.ipynb")
        with lab_server(root, home) as server, browser() as chromium:
            page = chromium.new_page(viewport=VIEW, device_scale_factor=1.5)
            lab = LabPage(page, server, "screenshots.ipynb")
            lab.run(lab.cells.first)

            form = lab.write(FORM)
            form.get_by_role("button", name=re.compile("Fetch$")).click()
            expect(form.get_by_role("status").filter(has_text="Done after")).to_be_visible()
            page.mouse.move(0, 0)
            save(form.locator(".jp-OutputArea-output"), "fetch-form")

            # As wide as the pictures are.
            page.set_viewport_size({"width": 1140, "height": 2400})
            for name, code in PICTURES.items():
                output = lab.write(f"{code};")
                expect(output.get_by_role("img")).to_be_visible()
                cell = lab.cells.last
                # Another cell has the frame of the chosen one then.
                lab.cells.first.locator(".jp-InputArea-prompt").click()
                save(cell, name)


if __name__ == "__main__":
    main()
