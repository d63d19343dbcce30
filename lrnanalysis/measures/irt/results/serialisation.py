"""Models in files: JSON text with all of a model but the responses."""

from __future__ import annotations

import json
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures.irt.estimation.constraints import Constraints
from lrnanalysis.measures.irt.likelihood.quadrature import Quadrature
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.response_models.registry import response_model
from lrnanalysis.measures.irt.results.estimates import Convergence, Estimates

__all__ = ["read_estimates", "write_estimates"]

#: The number changes with what is in a file; a file of another one is refused.
_FORMAT = "lrnanalysis IRT model 3"

#: A format in which all labels were text, and tuples could not be told from others.
_TEXT_LABELS = "lrnanalysis IRT model 2"


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
        "items": _labels("item", estimates.items),
        "scores": [own.tolist() for own in estimates.scores],
        "groups": _labels("group", estimates.groups),
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
    Path(path).write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


def read_estimates(path: str | PathLike[str]) -> Estimates:
    """See `load`."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MeasureError(f"{path} is not a saved model: it is not JSON text") from error
    if not isinstance(content, dict) or content.get("format") not in (_FORMAT, _TEXT_LABELS):
        raise MeasureError(
            f"{path} is not a saved model of the format {_FORMAT!r}: fit it again, or read it with "
            "the release that wrote it"
        )
    try:
        return _estimates(content)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise MeasureError(f"{path} is a damaged model: {type(error).__name__}") from error


def _labels(of: str, labels: pd.Index) -> list[object]:
    """Labels as JSON has them: tuples are arrays, and other labels text."""
    found = [_label(label) for label in labels]
    texts = pd.Index([json.dumps(label) for label in found])
    if not texts.is_unique:
        twice = found[int(texts.duplicated().argmax())]
        raise MeasureError(
            f"several labels of {of}s become {shown(twice)} in the file: give them labels that are "
            "text or numbers, and all different"
        )
    return found


def _label(label: object) -> object:
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, tuple):
        return [_label(part) for part in label]
    if isinstance(label, str | int) or (isinstance(label, float) and np.isfinite(label)):
        return label
    return str(label)


def _index(labels: list[Any]) -> pd.Index:
    """Labels that `_labels` wrote."""
    found = [_tuples(label) for label in labels]
    if all(isinstance(label, str) for label in found):
        text: pd.Index = pd.Index(found, dtype="str")
        return text
    # Of several types, they stay what they are: 1, "1" and True are not the same.
    alike = len({type(label) for label in found}) == 1
    return pd.Index(found, dtype=None if alike else object, tupleize_cols=False)


def _tuples(label: Any) -> Any:
    return tuple(map(_tuples, label)) if isinstance(label, list) else label


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
        items=_index(content["items"]),
        scores=scores,
        groups=_index(content["groups"]),
        group_sizes=np.array(content["group_sizes"], dtype=np.float64),
        grid=Quadrature(*content["grid"]),
    )
