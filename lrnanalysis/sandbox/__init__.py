"""An embedded Data API with simulated learners. Every learner, item and answer in it is made up.

`serve` starts a Data API on loopback, in this process: signatures and parameters are checked,
sessions filtered, sorted and paged, and refusals coded as documented for
``sessions/responses``. `simulate` draws what it serves, with the truth behind it. It is there to
try, teach and test without credentials; it says nothing about real learners or about the speed
of the real service.

>>> from lrnanalysis import sandbox
>>> with sandbox.serve(learners=20, items=5, attempts=0.0) as api:
...     len(api)
20
"""

from __future__ import annotations

from lrnanalysis.sandbox.faults import Fault
from lrnanalysis.sandbox.growth import Growth
from lrnanalysis.sandbox.server import CONSUMER_KEY, CONSUMER_SECRET, DOMAIN, Sandbox, serve
from lrnanalysis.sandbox.service import LoggedRequest
from lrnanalysis.sandbox.simulate import Simulation, simulate

__all__ = [
    "CONSUMER_KEY",
    "CONSUMER_SECRET",
    "DOMAIN",
    "Fault",
    "Growth",
    "LoggedRequest",
    "Sandbox",
    "Simulation",
    "serve",
    "simulate",
]
