"""The command `lrnanalysis`: a demonstration, a fetch to files, and an embedded Data API."""

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
from lrnanalysis.errors import FetchInterrupted, LrnError
from lrnanalysis.loading import fetch
from lrnanalysis.study import SessionData
from lrnanalysis.tables.schema import STATUSES

__all__ = ["main"]

_TIMES = {
    "mintime": "updated at or after",
    "maxtime": "updated at or before",
    "mintime-started": "started at or after",
    "maxtime-started": "started at or before",
    "mintime-completed": "submitted at or after",
    "maxtime-completed": "submitted at or before",
}

#: The columns that the demonstration shows.
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
        By default those of the process.

    Returns
    -------
    int
        0 where all went well, 1 on an error, 2 on wrong arguments, 130 on an interrupt.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
    except (LrnError, OSError, ValueError) as error:
        # Beside our own errors: a port that is taken, a disk that is full, a negative number.
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
        help="fetch sessions to a file or a folder",
        description="Fetch sessions to Parquet or JSON. Credentials come from "
        "LRN_CONSUMER_KEY and LRN_CONSUMER_SECRET, or from a profile.",
    )
    command.add_argument(
        "out",
        type=Path,
        help="a folder for Parquet, or a .json, .jsonl or .ndjson file, each also with .gz",
    )
    filters = command.add_argument_group("which sessions")
    for name in ("activity-id", "session-id", "user-id"):
        filters.add_argument(f"--{name}", action="append", metavar="ID", help="may be repeated")
    filters.add_argument(
        "--status", action="append", metavar="STATUS", help=f"{', '.join(STATUSES)}; may repeat"
    )
    for name, meaning in _TIMES.items():
        filters.add_argument(
            f"--{name}", metavar="TIME", help=f"{meaning}: ISO 8601 (UTC) or Unix seconds"
        )
    filters.add_argument("--include", action="append", metavar="NAME", help="session metadata")
    paging = command.add_argument_group("how")
    paging.add_argument("--sort", choices=("asc", "desc"), help="by updated time; default: asc")
    paging.add_argument("--limit", type=int, metavar="N", help="sessions a page, 1 to 50")
    paging.add_argument("--next", metavar="TOKEN", help="go on from an earlier fetch")
    paging.add_argument("--max-sessions", type=int, metavar="N", help="stop after a first look")
    paging.add_argument("--overwrite", action="store_true", help="replace what is there")
    paging.add_argument("--quiet", action="store_true", help="no progress bar")
    connection = command.add_argument_group("from where")
    connection.add_argument("--profile", help="of the credentials file")
    connection.add_argument("--region", help="the consumer's region; default: US East")
    connection.add_argument("--version", dest="lts", metavar="LTS", help="such as v2026.2.LTS")
    connection.add_argument("--base-url", metavar="URL", help="an embedded Data API's address")
    command.set_defaults(run=_fetch)


def _add_sandbox(commands: Any) -> None:
    command = commands.add_parser(
        "sandbox",
        help="serve an embedded Data API with simulated learners until stopped",
        description="Serve a Data API on loopback with simulated learners until Ctrl-C.",
    )
    command.add_argument("--learners", type=int, default=500, help="default: %(default)s")
    command.add_argument("--items", type=int, default=40, help="default: %(default)s")
    command.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    command.add_argument("--port", type=int, default=0, help="default: any free one")
    command.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="a page; default: 0"
    )
    command.set_defaults(run=_sandbox)


def _demo(given: argparse.Namespace) -> int:
    started = time.perf_counter()
    with sandbox.serve(learners=given.learners, items=given.items, seed=given.seed) as api:
        served = time.perf_counter()
        print(f"An embedded Data API at {api.base_url}: every learner is simulated.\n")
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
        print("\nactive time against session_duration, completed sessions [min]")
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
        print(found[["table", "count", "meaning"]].to_string() if len(found) else "nothing found")
    print(
        f"\n{served - started:.1f} s to simulate {len(sessions):,} sessions and start the API, "
        f"{fetched - served:.1f} s to fetch and link them. No file was written."
    )
    return 0


def _fetch(given: argparse.Namespace) -> int:
    out: Path = given.out
    if out.exists() and not given.overwrite:
        print(f"lrnanalysis: {out} is there already: pass --overwrite", file=sys.stderr)
        return 2
    client = Client(
        profile=given.profile, region=given.region, version=given.lts, base_url=given.base_url
    )
    names = ["activity_id", "session_id", "user_id", "status", "include", "sort", "limit"]
    names += [name.replace("-", "_") for name in _TIMES]
    filters = {name: getattr(given, name) for name in names}
    for name in _TIMES:
        value = filters[name.replace("-", "_")]
        if value is not None and value.lstrip("-").isdigit():
            filters[name.replace("-", "_")] = int(value)
    try:
        study = fetch(
            client=client,
            next=given.next,
            max_sessions=given.max_sessions,
            progress=not given.quiet,
            **filters,
        )
    except (LrnError, FetchInterrupted) as error:
        if error.partial is not None and len(error.partial):
            partial = out.with_name(f"partial-{out.name}")
            _write(error.partial, partial, overwrite=True)
            print(f"What was fetched before the error is in {partial}.", file=sys.stderr)
            _say_next(error.partial, sys.stderr)
        raise
    _write(study, out, overwrite=given.overwrite)
    print(
        f"{len(study.sessions):,} sessions, {len(study.responses):,} responses and "
        f"{len(study.items):,} items in {out}."
    )
    _say_next(study, sys.stdout)
    return 0


def _write(study: SessionData, out: Path, *, overwrite: bool) -> None:
    if out.name.lower().removesuffix(".gz").endswith((".json", ".jsonl", ".ndjson")):
        study.to_json(out)
    else:
        study.to_parquet(out, overwrite=overwrite)


def _say_next(study: SessionData, file: Any) -> None:
    if study.next:
        print(f"For what comes after: --next {study.next}", file=file)


def _sandbox(given: argparse.Namespace) -> int:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with sandbox.serve(
        learners=given.learners,
        items=given.items,
        seed=given.seed,
        port=given.port,
        latency=given.latency,
    ) as api:
        print(f"An embedded Data API at {api.base_url}: every learner is simulated.")
        print(f"consumer key    {sandbox.CONSUMER_KEY}")
        print(f"consumer secret {sandbox.CONSUMER_SECRET}")
        print("Ctrl-C stops it.", flush=True)
        stop.wait()
    return 0
