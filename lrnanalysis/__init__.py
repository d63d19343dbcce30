"""Learners' sessions from the Learnosity Data API as three linked pandas tables, and their study.

>>> import lrnanalysis as lrn
>>> study = lrn.load_example()
>>> sessions, responses, items = study

Getting data
    `fetch`, `read`, `load_example`, `Query`, `Client`, `SessionData`
Practising without credentials
    `sandbox`
Measures
    the `.lrn` accessor of the three tables (`accessor`); `classical`, `dif`, `effort`,
    `equating`, `irt`, `linking`, `speed`
Pictures
    `.lrn.plot` of the tables; `plots`
Forms for a notebook
    `FetchForm`, `ExploreForm`
Errors
    `errors`; all of them are `LrnError`

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
    TransportError,
)
from lrnanalysis.tables import schema

if TYPE_CHECKING:
    from lrnanalysis import plots, sandbox
    from lrnanalysis.api.client import Client
    from lrnanalysis.api.query import Query
    from lrnanalysis.forms import ExploreForm, FetchForm
    from lrnanalysis.loading import fetch, load_example, read
    from lrnanalysis.measures import classical, dif, effort, equating, irt, linking
    from lrnanalysis.measures import response_time as speed
    from lrnanalysis.study import SessionData

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "AuthError",
    "Client",
    "CredentialsError",
    "ExploreForm",
    "FetchForm",
    "FetchInterrupted",
    "LrnError",
    "MeasureError",
    "PagingError",
    "Query",
    "QueryError",
    "RateLimitError",
    "ReadError",
    "SessionData",
    "TransportError",
    "accessor",
    "classical",
    "dif",
    "effort",
    "equating",
    "errors",
    "fetch",
    "irt",
    "linking",
    "load_example",
    "plots",
    "read",
    "sandbox",
    "schema",
    "speed",
]

#: Public name → the module that holds it.
_NAMES = {
    "Client": "lrnanalysis.api.client",
    "ExploreForm": "lrnanalysis.forms",
    "FetchForm": "lrnanalysis.forms",
    "Query": "lrnanalysis.api.query",
    "SessionData": "lrnanalysis.study",
    "fetch": "lrnanalysis.loading",
    "load_example": "lrnanalysis.loading",
    "read": "lrnanalysis.loading",
}

#: Public name of a module → the module.
_MODULES = {
    "classical": "lrnanalysis.measures.classical",
    "dif": "lrnanalysis.measures.dif",
    "effort": "lrnanalysis.measures.effort",
    "equating": "lrnanalysis.measures.equating",
    "irt": "lrnanalysis.measures.irt",
    "linking": "lrnanalysis.measures.linking",
    "plots": "lrnanalysis.plots",
    "sandbox": "lrnanalysis.sandbox",
    "speed": "lrnanalysis.measures.response_time",
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
