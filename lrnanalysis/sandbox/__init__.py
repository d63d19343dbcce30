"""An embedded Data API with simulated learners. No learner, item or answer is real.

`serve` starts a Data API on loopback, in this process: it checks signatures and parameters,
filters, sorts and pages sessions, and refuses requests with the documented codes of
``sessions/responses``. Use it to practise, teach and test without credentials. It is no evidence
about real learners, nor about the speed of the real service.

>>> from lrnanalysis import sandbox
>>> with sandbox.serve(learners=20, items=5, attempts=0.0) as api:
...     len(api)
20
"""

from __future__ import annotations

from lrnanalysis.sandbox.server import CONSUMER_KEY, CONSUMER_SECRET, DOMAIN, Sandbox, serve
from lrnanalysis.sandbox.service import LoggedRequest
from lrnanalysis.sandbox.updates import UpdateCounts

__all__ = [
    "CONSUMER_KEY",
    "CONSUMER_SECRET",
    "DOMAIN",
    "LoggedRequest",
    "Sandbox",
    "UpdateCounts",
    "serve",
]
