"""One fit of the 2PL by another package, in a Python that has it; needs NumPy and that package.

    python irt_others.py theta-irt scores.npy

`bench_irt` runs this script and reads its output. CPU time on one processor; theta-irt, which
compiles itself at its first run, is timed at its second.
"""

import json
import os
import sys
import time
from importlib.metadata import version

import numpy as np


def theta_irt(scores):
    """61 Gauss–Hermite points, its own tolerance (1e-4), no standard errors."""
    from theta.calibrate import calibrate

    responses = scores.astype(float)
    calibrate(responses, "2PL", n_points=61)
    seconds, found = timed(lambda: calibrate(responses, "2PL", n_points=61))
    return seconds, found.a, f"61 points, {found.n_iter} iterations, no standard errors"


def mirt(scores):
    """61 points, its own tolerance (1e-4), standard errors."""
    from mirt import fit_mirt

    fit_mirt(scores[:500], "2PL", n_quadpts=61)
    seconds, found = timed(lambda: fit_mirt(scores, "2PL", n_quadpts=61))
    what = f"61 points, {found.n_iterations} iterations, standard errors by {found.se_method}"
    return seconds, found.model.parameters["discrimination"], what


def girth(scores):
    """61 points between −6 and 6, its own tolerance (1e-3) and most iterations (25)."""
    from girth import twopl_mml

    options = {"quadrature_n": 61, "quadrature_bounds": (-6, 6)}
    seconds, found = timed(lambda: twopl_mml(scores.T, options))
    return seconds, found["Discrimination"], "61 points, no standard errors"


def timed(job):
    """CPU time [s] and result."""
    started = time.process_time()
    found = job()
    return time.process_time() - started, found


def main():
    name, path = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        # Not every package lets its threads be counted by a variable.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    scores = np.load(path).astype(int)
    try:
        seconds, slopes, what = {"theta-irt": theta_irt, "mirt": mirt, "girth": girth}[name](scores)
    except ImportError as error:
        sys.exit(f"not installed ({error.name})")
    slopes = np.asarray(slopes, dtype=float).tolist()
    report = {"seconds": seconds, "slopes": slopes, "what": what, "version": version(name)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
