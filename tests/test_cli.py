"""The command, as a researcher runs it: in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lrnanalysis as lrn
from faulty_service import Fault, FaultySandbox
from lrnanalysis import sandbox
from lrnanalysis.cli import main

ROOT = Path(__file__).parent.parent


@pytest.fixture
def api(shapes, monkeypatch, tmp_path):
    base = shapes["as scored records are"]
    records = [
        base | {"session_id": f"s{n:03d}", "status": ["Completed", "Discarded"][n % 2]}
        for n in range(120)
    ]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LRN_CONSUMER_KEY", sandbox.CONSUMER_KEY)
    monkeypatch.setenv("LRN_CONSUMER_SECRET", sandbox.CONSUMER_SECRET)
    with FaultySandbox(records) as served:
        yield served


def run(*arguments, **options):
    environment = options.pop("env", os.environ) | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "lrnanalysis", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_the_demonstration_shows_everything_and_writes_nothing(tmp_path):
    done = run("demo", "--learners", "40", "--items", "8", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for text in (
        "every learner is simulated",
        "sessions: ",
        "responses: ",
        "items: ",
        "Completed",
        "active_time",
        "session_duration",
        "study.check()",
        "No file was written.",
    ):
        assert text in done.stdout
    assert "sessions/s" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["study", "sessions.jsonl.gz", "sessions.json"])
def test_fetching_to_files(api, tmp_path, name):
    out = tmp_path / name
    done = run("fetch", str(out), "--base-url", api.base_url, "--status", "completed")
    assert done.returncode == 0, done.stderr
    assert "60 sessions, 60 responses and 60 items" in done.stdout
    assert set(lrn.read(out).sessions["status"]) == {"Completed"}
    token = re.search(r"--next (\S+)", done.stdout).group(1)
    assert lrn.fetch(
        client=api.client(), status="Completed", next=token, progress=False
    ).sessions.empty


def test_every_filter_is_an_option(api, tmp_path, capsys):
    options = {
        "--activity-id": "shapes",
        "--session-id": "s004",
        "--user-id": "user-00",
        "--status": "Completed",
        "--mintime": "2026-02-01",
        "--maxtime": "1893456000",
        "--mintime-started": "2026-02-01",
        "--maxtime-started": "2026-02-28",
        "--mintime-completed": "2026-02-01",
        "--maxtime-completed": "2026-02-28",
        "--include": "grade",
        "--sort": "desc",
        "--limit": "7",
        "--max-sessions": "3",
        "--version": "v2025.2.LTS",
    }
    words = [word for pair in options.items() for word in pair]
    out = tmp_path / "out"
    assert main(["fetch", str(out), "--base-url", api.base_url, "--quiet", *words]) == 0
    (sent,) = [request.parameters for request in api.log if request.records]
    assert sent["maxtime"] == "2030-01-01T00:00:00Z"
    assert sent["maxtime_started"] == "2026-02-28T23:59:59Z"
    assert sent["include"] == {"sessions.session_metadata": ["grade"]}
    assert sent["limit"] == 3
    assert {name[2:].replace("-", "_") for name in options} - set(sent) == {
        "max_sessions",
        "version",
    }
    assert api.log[0].version == "v2025.2.LTS"
    assert "1 sessions" in capsys.readouterr().out


def test_nothing_is_overwritten_unasked(api, tmp_path, capsys):
    out = tmp_path / "sessions.json"
    out.write_text("mine")
    arguments = ["fetch", str(out), "--base-url", api.base_url, "--quiet"]
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert api.log == []
    assert main([*arguments, "--overwrite"]) == 0
    assert len(lrn.read(out)) == 120


def test_a_failure_keeps_what_was_fetched(api, tmp_path, capsys):
    api.faults = [Fault("error", code=20004, at=(2,))]
    out = tmp_path / "study"
    assert main(["fetch", str(out), "--base-url", api.base_url, "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "code 20004" in said
    assert not out.exists()
    partial = lrn.read(tmp_path / "partial-study")
    assert len(partial) == 50
    assert f"--next {partial.next}" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--status", "complete"], "did you mean 'Completed'"),
        (["--mintime", "soon"], "mintime is 'soon'"),
        (["--limit", "99"], "1 to 50"),
    ],
)
def test_wrong_filters_are_said_in_a_line(api, tmp_path, capsys, arguments, message):
    out = str(tmp_path / "out")
    assert main(["fetch", out, "--base-url", api.base_url, "--quiet", *arguments]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert api.log == []


def test_without_credentials(tmp_path):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LRN_")}
    done = run("fetch", str(tmp_path / "out"), env=clean | {"HOME": str(tmp_path)})
    assert done.returncode == 1
    assert "no credentials found" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sandbox_serves_until_it_is_stopped():
    command = [sys.executable, "-m", "lrnanalysis", "sandbox", "--learners", "20", "--items", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = re.search(r"http://\S+?:\d+", server.stdout.readline()).group()
            client = lrn.Client(sandbox.CONSUMER_KEY, sandbox.CONSUMER_SECRET, base_url=address)
            assert len(lrn.fetch(client=client, progress=False)) >= 20
            client.close()
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) == 0


def test_a_port_that_is_taken_is_said_in_a_line(api, capsys):
    assert main(["sandbox", "--learners", "5", "--items", "5", "--port", str(api.port)]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["fetch", "--help"], ["demo", "--help"]])
def test_help_reads_well(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: lrnanalysis")
    assert "None" not in shown
