"""Learners' sessions from the Learnosity Data API as three linked pandas tables, and their study.

>>> import lrnanalysis as lrn
>>> study = lrn.load_example()
>>> sessions, responses, items = study
>>> analysis = study.analysis(attempts="first")

Getting data
    `fetch`, `read`, `load_example`, `Query`, `Client`, `SessionData`
Practising without credentials
    `sandbox` (an embedded Data API), `simulation` (learners of known truth)
Analysing a study
    `SessionData.analysis` makes an `Analysis`: decisions once, then every table, model, picture
Measures of one table
    the `.lrn` accessor (`accessor`)
Measures of matrices
    `item_analysis`; `classical`, `completion`, `dif`, `effort`, `equating`, `irt`, `linking`,
    `response_time`, `scores`, `timing`
Pictures
    `Analysis.plot`; `plots`
Forms for a notebook
    `FetchForm`, `ExploreForm`
Errors and warnings
    `errors`, all of them `LrnError`; `warnings`, all of them `LrnWarning`

Submodules load at their first use, so that importing the package costs little more than pandas.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lrnanalysis import accessor, errors
from lrnanalysis.errors import (
    ApiError,
    AuthError,
    CredentialsError,
    FetchInterrupted,
    LrnError,
    MeasureError,
    PagingError,
    QueryError,
    RateLimitError,
    ReadError,
    SimulationError,
    TransportError,
)
from lrnanalysis.tables import schema
from lrnanalysis.warnings import ConvergenceWarning, DataWarning, LrnWarning, RuleWarning

if TYPE_CHECKING:
    from lrnanalysis import plots, sandbox, simulation
    from lrnanalysis.analysis import Analysis
    from lrnanalysis.api.client import Client
    from lrnanalysis.api.query import Query
    from lrnanalysis.forms import ExploreForm, FetchForm
    from lrnanalysis.loading import fetch, load_example, read
    from lrnanalysis.measures import (
        classical,
        completion,
        dif,
        effort,
        equating,
        irt,
        linking,
        response_time,
        scores,
        timing,
    )
    from lrnanalysis.measures.item_analysis import ItemAnalysis, item_analysis
    from lrnanalysis.study import SessionData

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "ApiError",
    "AuthError",
    "Client",
    "ConvergenceWarning",
    "CredentialsError",
    "DataWarning",
    "ExploreForm",
    "FetchForm",
    "FetchInterrupted",
    "ItemAnalysis",
    "LrnError",
    "LrnWarning",
    "MeasureError",
    "PagingError",
    "Query",
    "QueryError",
    "RateLimitError",
    "ReadError",
    "RuleWarning",
    "SessionData",
    "SimulationError",
    "TransportError",
    "accessor",
    "classical",
    "completion",
    "dif",
    "effort",
    "equating",
    "errors",
    "fetch",
    "irt",
    "item_analysis",
    "linking",
    "load_example",
    "plots",
    "read",
    "response_time",
    "sandbox",
    "schema",
    "scores",
    "simulation",
    "timing",
]

#: Public name → the module that holds it.
_NAMES = {
    "Analysis": "lrnanalysis.analysis",
    "Client": "lrnanalysis.api.client",
    "ExploreForm": "lrnanalysis.forms",
    "FetchForm": "lrnanalysis.forms",
    "ItemAnalysis": "lrnanalysis.measures.item_analysis",
    "Query": "lrnanalysis.api.query",
    "SessionData": "lrnanalysis.study",
    "fetch": "lrnanalysis.loading",
    "item_analysis": "lrnanalysis.measures.item_analysis",
    "load_example": "lrnanalysis.loading",
    "read": "lrnanalysis.loading",
}

#: Public name of a module → the module.
_MODULES = {
    **{
        name: f"lrnanalysis.measures.{name}"
        for name in (
            "classical",
            "completion",
            "dif",
            "effort",
            "equating",
            "irt",
            "linking",
            "response_time",
            "scores",
            "timing",
        )
    },
    "plots": "lrnanalysis.plots",
    "sandbox": "lrnanalysis.sandbox",
    "simulation": "lrnanalysis.simulation",
}


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
    elif name in _MODULES:
        found = importlib.import_module(_MODULES[name])
    else:
        raise AttributeError(f"module 'lrnanalysis' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
