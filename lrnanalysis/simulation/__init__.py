"""Simulated learners who sit a test, with the truth behind their sessions.

`simulate` draws learners, items and responses of known parameters, and gives their sessions as the
records that the Data API would return. Nothing in it is real.

>>> from lrnanalysis.simulation import simulate
>>> simulate(learners=20, items=5, attempts=0.0)
Simulation(SIMULATED, no person or item is real: 20 learners, 20 sessions, 5 items, 1 form, seed=1)
"""

from __future__ import annotations

from lrnanalysis.simulation.simulate import simulate
from lrnanalysis.simulation.simulated_study import Simulation

__all__ = ["Simulation", "simulate"]
