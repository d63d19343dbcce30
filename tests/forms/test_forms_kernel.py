"""FetchForm in a real kernel: other cells run during a fetch, and its updates reach the page."""

import queue
import time

import pytest
from jupyter_client.manager import start_new_kernel

START = """
import lrnanalysis as lrn
api = lrn.sandbox.serve(learners=60, items=5, attempts=0.0, seed=3, latency=0.2)
form = lrn.FetchForm(lrn.Query(limit=5), client=api.client())
form
"""
PATIENCE = 60


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel()


def run(client, code):
    """Run a cell; return what it printed or displayed as text."""
    shown = []

    def hook(message):
        content = message["content"]
        if message["msg_type"] == "stream":
            shown.append(content["text"])
        elif message["msg_type"] in ("execute_result", "display_data"):
            shown.append(content["data"]["text/plain"])

    reply = client.execute_interactive(code, timeout=PATIENCE, output_hook=hook)
    assert reply["content"]["status"] == "ok", reply["content"].get("evalue")
    return "".join(shown).strip()


def updates(client, last):
    """Texts that the kernel sends to the form while no cell runs, up to one that has `last`."""
    texts = []
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            message = client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        state = message["content"].get("data", {}).get("state", {})
        if message["msg_type"] == "comm_msg" and isinstance(state.get("value"), str):
            texts.append(state["value"])
            if last in texts[-1]:
                return texts
    pytest.fail(f"no update has {last!r}")


@pytest.mark.slow
def test_a_fetch_leaves_the_kernel_free_and_is_cancelled_and_finished(kernel):
    assert run(kernel, START) == "<FetchForm: ready, nothing fetched yet>"
    assert run(kernel, "form.fetch(); print(form.running)") == "True"
    assert run(kernel, "print(6 * 7, form.running)") == "42 True"
    texts = updates(kernel, "10 sessions in 2 pages")
    assert all("sessions in" in one for one in texts)
    assert run(kernel, "form.cancel(); print(form.running)") == "True"
    assert "Resume fetches the rest" in updates(kernel, "Cancelled after")[-1]
    part = int(run(kernel, "print(len(form.study))"))
    assert 10 <= part < 60
    run(kernel, "api.latency = 0.0; form.resume()")
    updates(kernel, "60 sessions in form.study")
    assert run(kernel, "print(form.study, form.error)").startswith("<SessionData: 60 sessions")
    run(kernel, "form.close(); api.close()")


@pytest.mark.slow
def test_a_stored_notebook_shows_the_form_as_text(kernel):
    code = "import lrnanalysis as lrn\nlrn.ExploreForm(lrn.load_example())"
    assert run(kernel, code) == "<ExploreForm: 324 of 324 sessions selected>"
