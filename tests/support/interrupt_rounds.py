"""Fetches that are interrupted at random instants, in a process of their own.

Usage: interrupt_rounds.py ROUNDS SESSIONS LIMIT SEED. Prints what became of the rounds as JSON.
"""

import collections
import json
import os
import random
import signal
import sys
import threading
import time

import lrnanalysis as lrn
from lrnanalysis import sandbox


def rounds(number, sessions, limit, seed):
    """Interrupt fetches once or twice each; count the outcomes."""
    draw = random.Random(seed)
    records = [
        {"session_id": f"s{at}", "user_id": "u", "responses": [{"response_id": f"r{at}"}]}
        for at in range(sessions)
    ]
    wanted = {record["session_id"] for record in records}
    found = collections.Counter()
    with sandbox.serve(records) as api:
        client = api.client()
        usual = 0.0
        for _ in range(2):  # the first one imports what it needs
            started = time.perf_counter()
            lrn.fetch(client=client, limit=limit, progress=False)
            usual = time.perf_counter() - started
        for _ in range(number):
            found[one_round(api, client, limit, draw, usual, wanted)] += 1
    return found


def one_round(api, client, limit, draw, usual, wanted):
    instants = sorted(draw.uniform(0, usual * 1.1) for _ in range(draw.choice([1, 1, 2, 3])))
    over = threading.Event()

    def interrupt():
        began = time.perf_counter()
        for instant in instants:
            if over.wait(max(0.0, began + instant - time.perf_counter())):
                return
            os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    before = len(api.log)
    partial = None
    try:
        interrupter.start()
        study = lrn.fetch(client=client, limit=limit, progress=False)
        outcome = "whole"
    except lrn.FetchInterrupted as error:
        partial, outcome = error.partial, "interrupted"
    except KeyboardInterrupt:
        outcome = "bare" if len(api.log) > before else "before"
    # From here on, interrupts only set a flag.
    while True:
        try:
            signal.signal(signal.SIGINT, lambda *_: None)
            over.set()
            interrupter.join()
            break
        except KeyboardInterrupt:
            continue
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if outcome == "interrupted":
        rest = lrn.fetch(client=client, limit=limit, progress=False, next=partial.next)
        study = partial.updated(rest)
    elif outcome != "whole":
        return outcome
    ids = set(study.sessions["session_id"])
    answered = set(study.responses["session_id"])
    return outcome if ids == answered == wanted else "lost"


if __name__ == "__main__":
    number, sessions, limit, seed = map(int, sys.argv[1:])
    print(json.dumps(rounds(number, sessions, limit, seed)))
