"""Every registered response model: derivatives against differences, and parameters by name."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from lrnanalysis.measures import irt
from lrnanalysis.measures.irt.estimation.constraints import constrain
from lrnanalysis.measures.irt.response_models.graded import Graded
from lrnanalysis.measures.irt.response_models.layout import Layout
from lrnanalysis.measures.irt.response_models.nominal import Nominal
from lrnanalysis.measures.irt.response_models.registry import MODELS, response_model
from lrnanalysis.measures.linking._table import ItemTable

THETA = np.linspace(-2.5, 2.5, 7)
H = 1e-5


def cases():
    for name in MODELS:
        most = 3 if response_model(name, 2).partial_credit else 1
        yield from (response_model(name, steps) for steps in range(1, most + 1))


@pytest.fixture(params=cases(), ids=lambda model: f"{model.name}-{model.steps}")
def model(request):
    return request.param


@pytest.fixture
def p(model):
    """Parameters of three items, in an order that every family allows."""
    shares = np.linspace(2, 1, model.steps + 1)
    start = model.start_values(shares / shares.sum(), {"c": 0.2, "u": 0.9})
    return start + 0.1 * np.array([[-1.0], [0.0], [1.0]])


def test_probabilities(model, p):
    found = model.probabilities(p, THETA)
    assert found.shape == (3, model.steps + 1, 7)
    assert (found > 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones((3, 7)))
    assert np.exp(model.log_probabilities(p, THETA)) == pytest.approx(found)
    assert np.isfinite(model.log_probabilities(p, np.array([-6.0, 6.0]))).all()


def test_derivatives_by_parameters(model, p):
    counts = np.random.default_rng(1).uniform(0.5, 2, (3, model.steps + 1, 7))
    slopes = model.slopes(p, THETA)
    gradient = model.gradient(p, THETA, counts)
    information = model.observed_information(p, THETA, counts)
    for place in range(p.shape[1]):
        step = H * (np.arange(p.shape[1]) == place)
        change = model.log_probabilities(p + step, THETA) - model.log_probabilities(p - step, THETA)
        assert slopes[:, place] == pytest.approx(change / (2 * H), abs=1e-8)
        assert gradient[:, place] == pytest.approx((counts * change).sum(axis=(1, 2)) / (2 * H))
        ahead, behind = (model.gradient(p + s * step, THETA, counts) for s in (1, -1))
        assert information[:, place] == pytest.approx((behind - ahead) / (2 * H), abs=1e-5)
    persons = counts.sum(axis=1)
    expected = model.observed_information(
        p, THETA, model.probabilities(p, THETA) * persons[:, None]
    )
    assert model.expected_information(p, THETA, persons) == pytest.approx(expected)


def test_derivatives_by_ability(model, p):
    slopes, information, skewness = model.by_ability(p, THETA)
    curves = model.probabilities(p, THETA)
    ahead, behind = (model.log_probabilities(p, THETA + step) for step in (H, -H))
    assert slopes == pytest.approx((ahead - behind) / (2 * H), abs=1e-8)
    assert information == pytest.approx((curves * slopes**2).sum(axis=1))
    ahead, behind = (model.by_ability(p, THETA + step)[0] for step in (H, -H))
    second = (ahead - behind) / (2 * H)
    wanted = (curves * slopes * (slopes**2 + second)).sum(axis=1)
    assert skewness == pytest.approx(wanted, abs=1e-8)


def test_curvature_by_ability(model, p):
    slopes, information, _ = model.by_ability(p, THETA)
    ahead, behind = (model.by_ability(p, THETA + step)[0] for step in (H, -H))
    found = model.curvature(p, THETA)
    assert found == pytest.approx((behind - ahead) / (2 * H), abs=1e-8)
    assert (found * model.probabilities(p, THETA)).sum(axis=1) == pytest.approx(information)
    assert found.shape == slopes.shape


LOCATED = [model for model in cases() if model.has_locations]


@pytest.mark.parametrize(
    "model",
    [model for model in LOCATED if isinstance(model, Nominal | Graded)],
    ids=lambda model: f"{model.name}-{model.steps}",
)
def test_locations(model):
    """Where adjacent scores, or all scores above and below, are equally likely."""
    names = [name for name in model.reported if name[0] == "d"]
    d = np.linspace(1, -1, model.steps)
    p = model.constants({"a": 1.3, **dict(zip(names, d, strict=True))})[None]
    b = -model.location_differences @ d / 1.3
    curves = model.probabilities(p, b)[0]
    for k in range(model.steps):
        graded = model.name == "GRM"
        upper = curves[k + 1 :, k].sum() if graded else curves[k + 1, k]
        lower = curves[: k + 1, k].sum() if graded else curves[k, k]
        assert upper == pytest.approx(lower)


@pytest.mark.parametrize("model", LOCATED, ids=lambda model: f"{model.name}-{model.steps}")
def test_linking_draws_the_same_curves(model):
    names = [name for name in model.reported if name[0] == "d"]
    d = dict(zip(names, np.linspace(0.9, -0.8, len(names)), strict=True))
    given = {"a": 1.0 if model.unit_slope else 1.3, "c": 0.2, "u": 0.9}
    p = model.constants({**d, "a": given["a"], "c": logit(0.2), "u": logit(0.9)})
    b = -model.location_differences @ list(d.values()) / given["a"]
    locations = {"b": b[0]} if model.steps == 1 else {f"b{k + 1}": b[k] for k in range(model.steps)}
    asymptotes = {name: given[name] for name in ("c", "u") if name in model.parameters}
    row = {"model": model.name, "a": given["a"], **locations, **asymptotes}
    table = ItemTable.of(pd.DataFrame([row], index=["x"]), "items", None)
    assert type(table.layout.models[0]) is type(model)
    expected = model.probabilities(p[None], THETA)
    assert table.probabilities(THETA) == pytest.approx(expected, abs=1e-14)


def test_fixed_and_free_parameters_make_up_the_items(model):
    layout = Layout((model, model))
    values = {name: 0.5 + 0.1 * place for place, name in enumerate(model.reported)}
    all_fixed = constrain(layout, ["x", "y"], 1, {0: values, 1: values})
    assert all_fixed.names == []
    vector = all_fixed.parameter_vector(np.zeros(0))[: len(model.parameters)]
    for name, place in model.reported.items():
        assert vector[place] == values[name]
    free = constrain(layout, ["x", "y"], 1, {})
    assert np.linalg.matrix_rank(free.matrix) == len(free.names)
    assert (free.base == 0).all() != model.unit_slope


def test_folders_import_in_one_direction():
    """From the ground up: data, response models, likelihood, estimation, results."""
    root = Path(irt.__file__).parent
    order = ["data", "response_models", "likelihood", "estimation", "results"]
    for rank, folder in enumerate(order):
        for file in (root / folder).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and "measures.irt" in node.module:
                    used = node.module.split(".")[3]
                    assert used in order[: rank + 1], f"{file.name} imports {used}"
