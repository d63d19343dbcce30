"""Models in files: JSON text that says all of a model but its responses."""

from __future__ import annotations

import json
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.irt.design import Design
from lrnanalysis.measures.irt.grid import Grid
from lrnanalysis.measures.irt.models import Layout

if TYPE_CHECKING:
    from lrnanalysis.measures.irt.result import IRTModel

__all__ = ["load", "save"]

#: The number changes with what is in a file; a file of another one is refused.
_FORMAT = "lrnanalysis IRT model 2"


def save(model: IRTModel, path: str | PathLike[str]) -> None:
    """See `IRTModel.save`."""
    design = model._design
    rows, columns = np.nonzero(design.matrix)
    covariance = model._covariance.astype(object)
    covariance[np.isnan(model._covariance)] = None
    content = {
        "format": _FORMAT,
        "loglik": model.loglik,
        "convergence": asdict(model.convergence),
        "persons": model.persons,
        "priors": model.priors,
        "method": model.method,
        "models": design.layout.models,
        "items": [str(item) for item in model._labels],
        "scores": [own.tolist() for own in model._scores],
        "groups": [str(group) for group in model._groups],
        "group_sizes": model._group_sizes.tolist(),
        "latent": model._latent.tolist(),
        "base": design.base.tolist(),
        "entries": [rows.tolist(), columns.tolist(), design.matrix[rows, columns].tolist()],
        "names": design.names,
        "moments": design.moments,
        "free": model._free.tolist(),
        "covariance": covariance.tolist(),
        "grid": [model._grid.nodes, model._grid.bound],
    }
    Path(path).write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


def load(path: str | PathLike[str]) -> IRTModel:
    """Read a model that `IRTModel.save` wrote.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    IRTModel
        As it was, without responses: give a matrix to `IRTModel.abilities`.

    Raises
    ------
    MeasureError
        If the file is not such a model.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MeasureError(f"{path} is not a saved model: it is no JSON text") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise MeasureError(
            f"{path} is not a saved model of the format {_FORMAT!r}: fit it again, or read it with "
            "the release that wrote it"
        )
    try:
        return _model(content)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise MeasureError(f"{path} is a damaged model: {type(error).__name__}") from error


def _model(content: dict[str, Any]) -> IRTModel:
    from lrnanalysis.measures.irt.result import Convergence, IRTModel

    scores = [np.array(own, dtype=np.float64) for own in content["scores"]]
    steps = np.array([len(own) - 1 for own in scores])
    layout = Layout(tuple(content["models"]), steps)
    names = [(int(item), str(name)) for item, name in content["names"]]
    matrix = np.zeros((layout.total, len(names)))
    rows, columns, values = content["entries"]
    matrix[rows, columns] = values
    design = Design(
        layout,
        np.array(content["base"], dtype=np.float64),
        matrix,
        names,
        len(content["groups"]),
        [(int(group), str(name)) for group, name in content["moments"]],
    )
    free = np.array(content["free"], dtype=np.float64)
    nodes, bound = content["grid"]
    return IRTModel(
        content["loglik"],
        Convergence(**content["convergence"]),
        content["persons"],
        {name: tuple(prior) for name, prior in content["priors"].items()},
        content["method"],
        design,
        free,
        np.array(content["covariance"], dtype=np.float64).reshape(len(free), len(free)),
        np.array(content["latent"], dtype=np.float64),
        pd.Index(content["items"], dtype="str"),
        scores,
        pd.Index(content["groups"], dtype="str"),
        np.array(content["group_sizes"], dtype=np.float64),
        Grid(nodes, bound),
        None,
    )
