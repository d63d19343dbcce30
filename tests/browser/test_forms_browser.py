"""The forms in JupyterLab: with the mouse, with the keyboard, by their accessible names."""

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

import lrnanalysis
from lab_page import VIEW, LabPage, browser
from lab_server import lab_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_fetching_forms_polling.ipynb"

#: Slow enough to act during a fetch, quick enough to wait for a page.
SLOW_API = "slow_api = lrn.sandbox.serve(learners=800, items=5, latency=1.0)"

#: Inputs and buttons in the order in which Tab reaches them.
FETCH_ORDER = [
    "Data API",
    "Activity IDs",
    "Session IDs",
    "User IDs",
    "Incomplete",
    "Completed",
    "Discarded",
    "Pending Scoring",
    "Updated from",
    "Updated until",
    "Started from",
    "Started until",
    "Completed from",
    "Completed until",
    "Order",
    "Sessions per page",
    "Token",
    "Metadata",
    "Stop after",
    "Python code",
    "Preset",
    "Load",
    "Save",
    "save user and session IDs",
    "Fetch",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Notebook 01 in a browser; the tests write their cells at its end."""
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    shutil.copy(NOTEBOOK, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(lrnanalysis.__file__).parents[1]), os.pathsep)
        with lab_server(root, home) as server, browser() as chromium:
            page = chromium.new_page(viewport=VIEW)
            page.set_default_timeout(20_000)
            expect.set_options(timeout=20_000)
            opened = LabPage(page, server, NOTEBOOK.name)
            opened.write(f"import lrnanalysis as lrn\n{SLOW_API}")
            yield opened


def button(form, name):
    return form.get_by_role("button", name=re.compile(rf"\b{name}$"))


def beside(message, field):
    """Whether a message is to the right of a field, at its height."""
    there, here = message.bounding_box(), field.bounding_box()
    return there["x"] >= here["x"] + here["width"] and abs(there["y"] - here["y"]) < here["height"]


def focused(lab):
    """The name of the focused element: its label or its text."""
    return lab.page.evaluate(
        "() => { const it = document.activeElement;"
        " return (it.labels?.[0] ?? it).innerText.trim(); }"
    )


def nameless(form):
    """Elements of a form without an accessible name."""
    roles = "textbox|combobox|checkbox|button|progressbar|tab|img|table"
    return re.findall(rf"^ *- '?(?:{roles})\b(?! \").*$", form.aria_snapshot(), re.MULTILINE)


def test_notebook_01_form_reports_a_wrong_field_and_fetches(lab):
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    codes = [cell.source for cell in cells if cell.cell_type == "code"]
    number, name = next(
        (number, found[1])
        for number, source in enumerate(codes)
        if (found := re.search(r"^(\w+) = lrn\.FetchForm\(", source, re.MULTILINE))
    )
    for before in range(number):
        lab.run(lab.cells.nth(before))
    form = lab.run(lab.cells.nth(number))

    activities, started = form.get_by_label("Activity IDs"), form.get_by_label("Started from")
    activities.fill("demo, demo\nother third")
    expect(form.get_by_text("3 activities, 1 repeated")).to_be_visible()
    started.fill("2026-02-31")
    problem = form.get_by_role("alert").filter(has_text="2026-02-31")
    expect(problem).to_be_visible()
    assert beside(problem, form.get_by_label("Started until"))
    expect(button(form, "Fetch")).to_be_disabled()

    activities.fill("demo")
    started.fill("2020-01-31")
    form.get_by_role("checkbox", name="Completed").check()
    expect(problem).to_have_count(0)
    code = form.get_by_label("Python code")
    expect(code).to_have_value(re.compile('mintime_started="2020-01-31T00:00:00Z"'))
    button(form, "Fetch").click()
    expect(form.get_by_role("status").filter(has_text="Done after")).to_be_visible()
    sessions = form.get_by_role("row", name=re.compile("^sessions"))
    expect(form.get_by_role("row", name=re.compile("^status"))).to_contain_text("Completed")
    shown = sessions.get_by_role("cell").first.inner_text().split()[0]
    expect(lab.write(f"len({name}.study)")).to_contain_text(shown)


def test_a_fetch_leaves_the_kernel_free_and_can_be_cancelled(lab):
    form = lab.write("slow = lrn.FetchForm(client=slow_api.client())\nslow")
    expect(button(form, "Cancel")).to_be_disabled()
    button(form, "Fetch").click()
    expect(form.get_by_role("progressbar", name="sessions fetched")).to_be_visible()
    expect(form.get_by_role("status").filter(has_text="sessions in")).to_be_visible()
    expect(lab.write("print('running:', slow.running)")).to_contain_text("running: True")
    button(form, "Cancel").click()
    expect(form.get_by_role("status").filter(has_text="Cancelled after")).to_be_visible()
    expect(button(form, "Resume")).to_be_enabled()
    expect(button(form, "Fetch")).to_be_enabled()
    expect(form.get_by_role("progressbar")).to_have_count(0)
    kept = lab.write("print('kept:', 0 < len(slow.study) < len(slow_api), slow.error)")
    expect(kept).to_contain_text("kept: True None")


def test_the_keyboard_alone_fills_runs_and_cancels(lab):
    form = lab.write("keys = lrn.FetchForm(client=slow_api.client())\nkeys")
    keyboard = lab.page.keyboard
    form.get_by_label("Data API").focus()
    seen = [focused(lab)]
    while seen[-1] != "Fetch" and len(seen) < 2 * len(FETCH_ORDER):
        if seen[-1] == "Activity IDs":
            keyboard.type("demo")
        if seen[-1] == "Completed":
            keyboard.press("Space")
        keyboard.press("Tab")
        seen.append(focused(lab))
    assert seen == FETCH_ORDER
    expect(form.get_by_label("Python code")).to_have_value(re.compile('status="Completed"'))
    keyboard.press("Enter")
    expect(form.get_by_role("status").filter(has_text="sessions in")).to_be_visible()
    keyboard.press("Tab")
    assert focused(lab) == "Cancel"
    keyboard.press("Space")
    expect(form.get_by_role("status").filter(has_text="Cancelled after")).to_be_visible()
    printed = lab.write("print(keys.query, 0 < len(keys.study) < len(slow_api))")
    expect(printed).to_contain_text("Query(activity_id=('demo',), status=('Completed',)")
    expect(printed).to_contain_text("True")


def test_a_narrow_window_shows_problems(lab):
    form = lab.write("lrn.FetchForm()")
    lab.page.set_viewport_size({"width": 1000, "height": 2400})
    form.get_by_label("Started from").fill("2026-02-31")
    problem = form.get_by_role("alert").filter(has_text="2026-02-31")
    expect(problem).to_be_visible()
    box = problem.bounding_box()
    lab.page.set_viewport_size(VIEW)
    assert box["width"] >= 150
    assert box["height"] <= 100


def test_a_preset_is_saved_and_loaded(lab):
    form = lab.write("lrn.FetchForm()")
    users, name = form.get_by_label("User IDs"), form.get_by_role("combobox", name="Preset")
    form.get_by_label("Activity IDs").fill("numeracy")
    users.fill("learner-1")
    name.fill("weekly")
    button(form, "Save").click()
    expect(form.get_by_role("status").filter(has_text="without user_id")).to_be_visible()

    again = lab.write("lrn.FetchForm()")
    again.get_by_role("combobox", name="Preset").fill("weekly")
    button(again, "Load").click()
    expect(again.get_by_label("Activity IDs")).to_have_value("numeracy")
    expect(again.get_by_label("User IDs")).to_have_value("")


@pytest.mark.parametrize("code", ["lrn.FetchForm()", "lrn.ExploreForm(lrn.load_example())"])
def test_everything_has_a_name_for_a_screen_reader(lab, code):
    form = lab.write(code)
    expect(form.get_by_label("Python code")).to_be_visible()
    assert nameless(form) == []


def test_explorer_follows_the_fields(lab):
    form = lab.write("explore = lrn.ExploreForm(lrn.load_example())\nexplore")
    size = form.get_by_role("status").filter(has_text="persons ×")
    before = size.inner_text()
    form.get_by_role("checkbox", name="Pending Scoring").uncheck()
    form.get_by_label("Attempts").select_option(label="last attempt per learner and activity")
    expect(size).not_to_have_text(before)
    expect(size).to_contain_text("last attempts")
    for view in ("Overview", "Items"):
        form.get_by_role("tab", name=view).click()
        expect(form.get_by_role("table")).to_be_visible()
    for view in ("Times", "Accuracy", "Pacing", "Scores"):
        form.get_by_role("tab", name=view).click()
        expect(form.get_by_role("img")).to_be_visible()
    persons = re.match(r"\d+", size.inner_text())[0]
    printed = lab.write("print(explore.analysis.n_persons, 'persons')\nprint(explore.code)")
    expect(printed).to_contain_text(f"{persons} persons")
    expect(printed).to_contain_text('study.analysis(status="Completed", attempts="last")')

    items = form.get_by_label("Items", exact=True)
    items.fill("item-77")
    problem = form.get_by_role("alert").filter(has_text="1 of 1 not found")
    expect(problem).to_be_visible()
    assert beside(problem, items)
