"""Models in files: JSON text with all of a model but the responses."""

from __future__ import annotations

import json
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, file_errors
from lrnanalysis.measures.irt.estimation.constraints import Constraints
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.response_models.registry import response_model
from lrnanalysis.measures.irt.results.estimates import Convergence, Estimates

__all__ = ["read_estimates", "write_estimates"]

#: The number changes with what is in a file; a file of another one is refused.
_FORMAT = "lrnanalysis IRT model 2"


def write_estimates(estimates: Estimates, path: str | PathLike[str]) -> None:
    """See `IRTModel.save`."""
    constraints = estimates.constraints
    rows, columns = np.nonzero(constraints.matrix)
    covariance = estimates.covariance.astype(object)
    covariance[np.isnan(estimates.covariance)] = None
    content = {
        "format": _FORMAT,
        "loglik": estimates.loglik,
        "convergence": asdict(estimates.convergence),
        "persons": estimates.persons,
        "priors": estimates.priors,
        "method": estimates.method,
        "models": [model.name for model in estimates.layout.models],
        "items": [str(item) for item in estimates.items],
        "scores": [own.tolist() for own in estimates.scores],
        "groups": [str(group) for group in estimates.groups],
        "group_sizes": estimates.group_sizes.tolist(),
        "latent": estimates.latent.tolist(),
        "base": constraints.base.tolist(),
        "entries": [rows.tolist(), columns.tolist(), constraints.matrix[rows, columns].tolist()],
        "names": constraints.names,
        "moments": constraints.moments,
        "free": estimates.free.tolist(),
        "covariance": covariance.tolist(),
        "grid": [estimates.grid.nodes, estimates.grid.bound],
    }
    text = json.dumps(content, allow_nan=False)
    with file_errors(path, "written"):
        Path(path).write_text(text, encoding="utf-8")


def read_estimates(path: str | PathLike[str]) -> Estimates:
    """See `load`."""
    try:
        with file_errors(path, "read"):
            content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MeasureError(f"{path} is not a saved model: it is not JSON text") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise MeasureError(
            f"{path} is not a saved model of the format {_FORMAT!r}: fit it again, or read it with "
            "the release that wrote it"
        )
    try:
        return _estimates(content)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise MeasureError(f"{path} is a damaged model: {type(error).__name__}") from error


def _estimates(content: dict[str, Any]) -> Estimates:
    scores = [np.array(own, dtype=np.float64) for own in content["scores"]]
    models = zip(content["models"], scores, strict=True)
    layout = Layout(tuple(response_model(name, len(own) - 1) for name, own in models))
    names = [(int(item), str(name)) for item, name in content["names"]]
    matrix = np.zeros((layout.total, len(names)))
    rows, columns, values = content["entries"]
    matrix[rows, columns] = values
    constraints = Constraints(
        layout,
        np.array(content["base"], dtype=np.float64),
        matrix,
        names,
        len(content["groups"]),
        [(int(group), str(name)) for group, name in content["moments"]],
    )
    free = np.array(content["free"], dtype=np.float64)
    return Estimates(
        loglik=content["loglik"],
        convergence=Convergence(**content["convergence"]),
        persons=content["persons"],
        priors={name: tuple(prior) for name, prior in content["priors"].items()},
        method=content["method"],
        constraints=constraints,
        free=free,
        covariance=np.array(content["covariance"], np.float64).reshape(len(free), len(free)),
        latent=np.array(content["latent"], dtype=np.float64),
        items=pd.Index(content["items"], dtype="str"),
        scores=scores,
        groups=pd.Index(content["groups"], dtype="str"),
        group_sizes=np.array(content["group_sizes"], dtype=np.float64),
        grid=Quadrature(*content["grid"]),
    )
