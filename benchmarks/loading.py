"""Loading: bytes of pages to frames, memory, import, and the time a crawl spends on its own.

``python -m benchmarks.loading [--sessions 2000]``
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import orjson
import pandas as pd

import lrnanalysis as lrn
from benchmarks.report import Claim, cpu_side_by_side, table
from lrnanalysis.api.crawl import Crawl
from lrnanalysis.parse.table_builder import TableBuilder

ITEMS = 30


def pages_of(sessions: int) -> list[bytes]:
    return list(lrn.simulation.simulate(sessions, ITEMS, seed=1).pages())


def ours(pages: list[bytes]) -> object:
    builder = TableBuilder()
    for page in pages:
        builder.add(page)
    return builder.finish()


def normalized(pages: list[bytes]) -> object:
    """What learnosity_sdk's paging and pandas give without this package."""
    sessions = [session for page in pages for session in json.loads(page)["data"]]
    return (
        pd.json_normalize(sessions),
        pd.json_normalize(sessions, "responses", ["session_id"], errors="ignore"),
        pd.json_normalize(sessions, "items", ["session_id"], errors="ignore"),
    )


def orjson_alone(pages: list[bytes]) -> object:
    return deque((orjson.loads(page) for page in pages), maxlen=0)


def speed(sessions: int) -> list[Claim]:
    pages = pages_of(sessions)
    few = pages[: max(1, len(pages) // 5)]
    share = sum(map(len, few)) / sum(map(len, pages))
    mine, bare, plain = cpu_side_by_side(
        lambda: ours(pages), lambda: orjson_alone(pages), lambda: normalized(few)
    )
    plain /= share
    size = sum(map(len, pages)) / 1e6
    return [
        Claim(
            "CPU of json.loads and three json_normalize, ours = 1",
            plain / mine,
            12,
            at_most=False,
            detail=f"{plain:.2f} s against {mine:.2f} s for {size:.0f} MB",
        ),
        Claim(
            "CPU of bytes to three frames, orjson.loads alone = 1",
            mine / bare,
            2,
            at_most=True,
            detail=f"{mine:.2f} s against {bare:.2f} s",
        ),
    ]


_MEMORY = """
import gc, pathlib, sys
from benchmarks.loading import ours
text = pathlib.Path(sys.argv[1]).read_bytes()
pages = text.split(b"\\n")
del text
ours(pages[:1])
gc.collect()
status = pathlib.Path("/proc/self/status")
def kilobytes(name):
    return int(status.read_text().split(name + ":")[1].split()[0])
before = kilobytes("VmRSS")
pathlib.Path("/proc/self/clear_refs").write_text("5")
tables = ours(pages)
peak = kilobytes("VmHWM") - before
frames = (tables.sessions, tables.responses, tables.items)
finished = sum(frame.memory_usage(deep=True).sum() for frame in frames) / 1024
print(peak, finished)
"""


def memory(sessions: int) -> list[Claim]:
    if not Path("/proc/self/clear_refs").exists():
        print("memory is left out: it is read from /proc, which only Linux has")
        return []
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(pages_of(sessions)))
        file.flush()
        done = subprocess.run(
            [sys.executable, "-c", _MEMORY, file.name], capture_output=True, text=True, check=True
        )
    peak, finished = map(float, done.stdout.split())
    return [
        Claim(
            "peak memory while loading, finished frames = 1",
            peak / finished,
            2.5,
            at_most=True,
            detail=f"{peak / 1024:.0f} MB against {finished / 1024:.0f} MB",
        )
    ]


def importing(rounds: int = 9) -> list[Claim]:
    def seconds(name: str) -> float:
        code = f"from time import process_time as t; s = t(); import {name}; print(t() - s)"
        return float(
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            ).stdout
        )

    best = {"pandas": float("inf"), "lrnanalysis": float("inf")}
    for _ in range(rounds):
        for name in best:
            best[name] = min(best[name], seconds(name))
    return [
        Claim(
            "import lrnanalysis, import pandas = 1",
            best["lrnanalysis"] / best["pandas"],
            1.25,
            at_most=True,
            detail=f"{best['lrnanalysis']:.3f} s against {best['pandas']:.3f} s",
        )
    ]


def crawling(sessions: int, latency: float = 0.05) -> list[Claim]:
    """CPU of the crawling process over its wall time, the server being another process."""
    sizes = {"--items": ITEMS, "--learners": sessions, "--latency": latency}
    options = [str(part) for option in sizes.items() for part in option]
    server = subprocess.Popen(
        [sys.executable, "-m", "lrnanalysis", "sandbox", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = server.stdout.readline().split(" at ")[1].split(": ")[0]
        client = lrn.Client(lrn.sandbox.CONSUMER_KEY, lrn.sandbox.CONSUMER_SECRET, base_url=address)
        lrn.fetch(client=client, max_sessions=50, progress=False)
        pages, crawl = _shares(lambda: sum(1 for _ in Crawl(lrn.Query(), client)))
        _, fetch = _shares(lambda: lrn.fetch(client=client, progress=False))
    finally:
        server.terminate()
        server.wait()
    return [
        Claim(
            "share of a crawl outside waiting for the server, 50 ms a page",
            crawl,
            0.10,
            at_most=True,
            detail=f"CPU over wall time, {pages} pages; with the tables made too {fetch:.2f}",
        )
    ]


def _shares(job: Callable[[], object], rounds: int = 3) -> tuple[object, float]:
    """The least share of CPU time in the wall time of a job, and its result."""
    shares = []
    for _ in range(rounds):
        wall, own = time.perf_counter(), time.process_time()
        result = job()
        shares.append((time.process_time() - own) / (time.perf_counter() - wall))
    return result, min(shares)


def main() -> list[Claim]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=2000)
    sessions = parser.parse_args().sessions
    claims = [*speed(sessions), *memory(sessions), *importing(), *crawling(sessions)]
    print(table(claims))
    return claims


if __name__ == "__main__":
    sys.exit(not all(claim.met for claim in main()))
