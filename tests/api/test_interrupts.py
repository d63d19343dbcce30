"""Interrupts from the keyboard: real signals, at set and at random instants, and in a kernel."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

import lrnanalysis as lrn
from lrnanalysis import sandbox
from lrnanalysis.api.interrupts import count_interrupts

ROUNDS = Path(__file__).parents[1] / "support" / "interrupt_rounds.py"
RECORDS = [{"session_id": f"s{at:03d}", "user_id": "u"} for at in range(120)]


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def interrupts_as_in_a_new_process():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def client():
    with sandbox.serve(RECORDS) as api, api.client() as made:
        yield made


def test_the_first_interrupt_stops_after_the_current_page(client):
    calls = []

    def cancelled():
        calls.append(1)
        if len(calls) == 2:
            interrupt()
            time.sleep(0.3)  # the page under way is fetched all the same
        return False

    with pytest.raises(lrn.FetchInterrupted, match="100 sessions fetched so far") as caught:
        lrn.fetch(client=client, limit=50, progress=False, cancelled=cancelled)
    assert not isinstance(caught.value, Exception)
    partial = caught.value.partial
    assert len(partial) == 100
    rest = lrn.fetch(client=client, next=partial.next, progress=False)
    assert len(rest) == 20
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_stops_at_once_and_leaves_a_client_that_works(capfd):
    with sandbox.serve(RECORDS) as api, api.client() as client:

        def twice():
            while len(api.log) < 2:
                time.sleep(0.01)
            api.latency = 20.0
            while len(api.log) < 3:
                time.sleep(0.01)
            interrupt()
            time.sleep(0.3)
            interrupt()

        interrupter = threading.Thread(target=twice)
        started = time.monotonic()
        interrupter.start()
        with pytest.raises(lrn.FetchInterrupted) as caught:
            lrn.fetch(client=client, limit=10)
        assert time.monotonic() - started < 15
        interrupter.join()
        api.latency = 0.0
        partial = caught.value.partial
        assert 0 < len(partial) < 120
        rest = lrn.fetch(client=client, next=partial.next, progress=False)
        assert len(partial.updated(rest)) == 120
    assert "interrupt again to stop at once" in capfd.readouterr().err


def test_a_pause_ends_when_the_fetch_is_stopped(client):
    limiter = client._limiter(lrn.Query().endpoint)
    limiter.close_for(60.0)
    threading.Timer(0.3, interrupt).start()
    started = time.monotonic()
    with pytest.raises(lrn.FetchInterrupted, match="0 sessions"):
        lrn.fetch(client=client, progress=False)
    assert time.monotonic() - started < 30


def test_interrupts_elsewhere_are_raised_as_ever():
    with count_interrupts() as interrupts:
        interrupt()
    assert interrupts.n == 1
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_fetch_in_another_thread_leaves_the_signal_alone(client):
    seen = []

    def fetch():
        def look():
            seen.append(signal.getsignal(signal.SIGINT))

        study = lrn.fetch(client=client, progress=False, cancelled=look)
        seen.append(len(study))

    thread = threading.Thread(target=fetch)
    thread.start()
    thread.join()
    assert seen[-1] == 120
    assert set(seen[:-1]) == {signal.default_int_handler}


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "sessions", "limit"), [(60, 60, 20), (12, 2000, 20)])
def test_at_random_instants_nothing_is_lost_and_nothing_hangs(rounds, sessions, limit):
    seed = int.from_bytes(os.urandom(2), "big")
    done = subprocess.run(
        [sys.executable, ROUNDS, *map(str, (rounds, sessions, limit, seed))],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, (seed, done.stderr)
    found = json.loads(done.stdout)
    assert found.get("interrupted", 0) > rounds / 4, (seed, found)
    assert sum(found.get(name, 0) for name in ("whole", "interrupted", "before")) == rounds, seed


FETCH = """
import lrnanalysis as lrn
api = lrn.sandbox.serve([{"session_id": f"s{n}"} for n in range(60)], latency=0.2)
lrn.fetch(client=api.client(), limit=1)
"""


@pytest.mark.slow
def test_a_notebook_shows_the_advice_and_no_green_bar():
    manager, client = start_new_kernel(kernel_name="python3")
    errors, styles, interrupted = [], [], []

    def hook(message):
        content = message["content"]
        if message["msg_type"] == "error":
            errors.append(content)
        elif message["msg_type"] == "comm_open" or message["msg_type"] == "comm_msg":
            state = content.get("data", {}).get("state", {})
            styles.extend([state["bar_style"]] if state.get("bar_style") else [])
            if "sessions/s" in str(state.get("value")) and not interrupted:
                interrupted.append(True)
                manager.interrupt_kernel()

    try:
        reply = client.execute_interactive(FETCH, timeout=60, output_hook=hook, allow_stdin=False)
        assert reply["content"]["status"] == "error"
        assert errors[0]["ename"] == "FetchInterrupted"
        (shown,) = errors[0]["traceback"]
        assert "sys.last_value.partial" in shown
        assert "\n" not in shown
        assert styles[-1] == "danger"
        assert "success" not in styles
        after = client.execute_interactive(
            "import sys; assert 0 < len(sys.last_value.partial) < 60; api.close()", timeout=60
        )
        assert after["content"]["status"] == "ok", after["content"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
