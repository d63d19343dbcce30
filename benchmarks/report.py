"""Timing in pairs and a table of claims."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

PACKAGES = ("numpy", "pandas", "pyarrow", "msgspec", "orjson")


@dataclass
class Claim:
    """One line of the table.

    Attributes
    ----------
    what : str
        What is claimed.
    measured, bound : float
        The figure and the bound that it has to keep.
    at_most : bool
        Whether the bound is an upper one.
    detail : str
        The figures that the ratio was made of.
    """

    what: str
    measured: float
    bound: float
    at_most: bool
    detail: str

    @property
    def met(self) -> bool:
        """Whether the bound is met."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


def cpu_side_by_side(*jobs: Callable[[], object], rounds: int = 5) -> list[float]:
    """Best CPU time [s] of each job, the jobs taking turns so that noise meets all of them."""
    best = [float("inf")] * len(jobs)
    for _ in range(rounds):
        for index, job in enumerate(jobs):
            started = time.process_time()
            job()
            best[index] = min(best[index], time.process_time() - started)
    return best


def table(claims: list[Claim]) -> str:
    """The claims as a Markdown table with machine and versions."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, " + ", ".join(
        f"{name} {version(name)}" for name in PACKAGES
    )
    rows = [
        f"| {claim.what} | {claim.measured:.2f} | {'≤' if claim.at_most else '≥'} "
        f"{claim.bound:g} | {'yes' if claim.met else 'NO'} | {claim.detail} |"
        for claim in claims
    ]
    head = ["| claim | measured | bound | met | from |", "|---|---|---|---|---|"]
    return "\n".join([machine, "", *head, *rows])
