"""The command `lrnanalysis`: a demonstration, fetching to files, and an embedded Data API."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import lrnanalysis as lrn
from lrnanalysis import sandbox
from lrnanalysis.api.client import Client
from lrnanalysis.api.query import FILTERS
from lrnanalysis.errors import FetchInterrupted, LrnError
from lrnanalysis.loading import fetch
from lrnanalysis.study import SessionData

__all__ = ["main"]

#: Columns shown by the demonstration.
_SHOWN = {
    "sessions": [
        "session_id",
        "user_id",
        "status",
        "score",
        "max_score",
        "session_duration",
        "active_time",
        "dt_started",
    ],
    "responses": [
        "session_id",
        "item_reference",
        "question_type",
        "attempted",
        "score",
        "max_score",
        "value",
    ],
    "items": ["session_id", "item_reference", "position", "time", "score", "max_score"],
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        0 on success, 1 on an error, 2 on wrong arguments, 130 on an interrupt.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
    except (LrnError, OSError, ValueError) as error:
        # Besides our own errors: a port in use, a full disk, a negative number.
        print(f"lrnanalysis: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lrnanalysis",
        description="Learners' sessions from the Learnosity Data API as three linked tables.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {lrn.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_fetch(commands)
    _add_sandbox(commands)
    return parser


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="fetch simulated learners and show the three tables",
        description="Start an embedded Data API with simulated learners, fetch them through "
        "signed requests, and show the three tables. Needs no credentials and writes no file.",
    )
    demo.add_argument("--learners", type=int, default=500, help="default: %(default)s")
    demo.add_argument("--items", type=int, default=30, help="default: %(default)s")
    demo.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    demo.set_defaults(run=_demo)


def _add_fetch(commands: Any) -> None:
    command = commands.add_parser(
        "fetch",
        help="fetch sessions to a file or folder",
        description="Fetch sessions to Parquet or JSON. Credentials are read from "
        "LRN_CONSUMER_KEY and LRN_CONSUMER_SECRET, or from a profile.",
    )
    command.add_argument(
        "out",
        type=Path,
        help="folder for Parquet files, or a .json, .jsonl or .ndjson file, also with .gz",
    )
    filters = command.add_argument_group(
        "filters", "Times are ISO 8601 text (UTC) or Unix seconds."
    )
    for name, one in FILTERS.items():
        filters.add_argument(
            f"--{name.replace('_', '-')}",
            action="append" if one.kind.many else "store",
            type=int if one.kind.accepts == "int" else str,
            metavar=one.kind.metavar,
            help=one.help + "; may be repeated" * one.kind.many,
        )
    output = command.add_argument_group("output")
    output.add_argument("--max-sessions", type=int, metavar="N", help="stop after N sessions")
    output.add_argument("--overwrite", action="store_true", help="replace an existing OUT")
    output.add_argument("--quiet", action="store_true", help="show no progress bar")
    connection = command.add_argument_group("connection")
    connection.add_argument("--profile", help="profile in ~/.learnosity/credentials")
    connection.add_argument("--region", help="region of the consumer; default: US East")
    connection.add_argument("--version", dest="lts", metavar="LTS", help="such as v2026.2.LTS")
    connection.add_argument("--base-url", metavar="URL", help="address of another Data API")
    command.set_defaults(run=_fetch)


def _add_sandbox(commands: Any) -> None:
    command = commands.add_parser(
        "sandbox",
        help="serve an embedded Data API with simulated learners until stopped",
        description="Serve a Data API with simulated learners on loopback until Ctrl-C.",
    )
    command.add_argument("--learners", type=int, default=500, help="default: %(default)s")
    command.add_argument("--items", type=int, default=40, help="default: %(default)s")
    command.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    command.add_argument("--port", type=int, default=0, help="default: any free port")
    command.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="per page; default: 0"
    )
    command.set_defaults(run=_sandbox)


def _demo(given: argparse.Namespace) -> int:
    started = time.perf_counter()
    with sandbox.serve(learners=given.learners, items=given.items, seed=given.seed) as api:
        served = time.perf_counter()
        print(f"Embedded Data API at {api.base_url}: every learner is simulated.\n")
        study = fetch(client=api.client())
        fetched = time.perf_counter()
    sessions = study.sessions
    with pd.option_context("display.width", 120, "display.max_colwidth", 14):
        for name, columns in _SHOWN.items():
            frame = getattr(study, name)
            print(f"\n{name}: {len(frame):,} rows x {frame.shape[1]} columns, some of them:")
            print(frame[columns].head(3).to_string(index=False))
        print("\nstatus")
        print(sessions["status"].value_counts().to_string(header=False))
        print("\nactive_time and session_duration of completed sessions [min]")
        completed = sessions[sessions["status"] == "Completed"]
        both = pd.DataFrame(
            {
                "active_time": completed["active_time"] / 60,
                "session_duration": completed["session_duration"].astype("float64"),
            }
        )
        print(both.describe().loc[["count", "mean", "50%", "max"]].round(1).to_string())
        print("\nstudy.check()")
        found = study.check()
        print(found[["table", "count", "meaning"]].to_string() if len(found) else "no findings")
    print(
        f"\n{served - started:.1f} s to simulate {len(sessions):,} sessions and start the API, "
        f"{fetched - served:.1f} s to fetch and link them. No file was written."
    )
    return 0


def _fetch(given: argparse.Namespace) -> int:
    out: Path = given.out
    if out.exists() and not given.overwrite:
        print(f"lrnanalysis: {out} already exists: pass --overwrite", file=sys.stderr)
        return 2
    client = Client(
        profile=given.profile, region=given.region, version=given.lts, base_url=given.base_url
    )
    try:
        study = fetch(
            client=client,
            max_sessions=given.max_sessions,
            progress=not given.quiet,
            **{name: getattr(given, name) for name in FILTERS},
        )
    except (LrnError, FetchInterrupted) as error:
        if error.partial is not None and len(error.partial):
            partial = out.with_name(f"partial-{out.name}")
            _write(error.partial, partial, overwrite=True)
            print(f"Sessions fetched before the error are in {partial}.", file=sys.stderr)
            _print_next(error.partial, sys.stderr)
        raise
    _write(study, out, overwrite=given.overwrite)
    print(
        f"{len(study.sessions):,} sessions, {len(study.responses):,} responses and "
        f"{len(study.items):,} items in {out}."
    )
    _print_next(study, sys.stdout)
    return 0


def _write(study: SessionData, out: Path, *, overwrite: bool) -> None:
    if out.name.lower().removesuffix(".gz").endswith((".json", ".jsonl", ".ndjson")):
        study.to_json(out)
    else:
        study.to_parquet(out, overwrite=overwrite)


def _print_next(study: SessionData, file: Any) -> None:
    if study.next:
        print(f"To fetch later updates: --next {study.next}", file=file)


def _sandbox(given: argparse.Namespace) -> int:
    stop = threading.Event()
    stopping = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda *_: stop.set()) for one in stopping]
    try:
        return _serve(given, stop)
    finally:
        for one, handler in zip(stopping, before, strict=True):
            signal.signal(one, handler)


def _serve(given: argparse.Namespace, stop: threading.Event) -> int:
    with sandbox.serve(
        learners=given.learners,
        items=given.items,
        seed=given.seed,
        port=given.port,
        latency=given.latency,
    ) as api:
        print(f"Embedded Data API at {api.base_url}: every learner is simulated.")
        print(f"consumer key    {sandbox.CONSUMER_KEY}")
        print(f"consumer secret {sandbox.CONSUMER_SECRET}")
        print("Stop it with Ctrl-C.", flush=True)
        stop.wait()
    return 0
