"""Persons scored by item parameters that are known: no item need show all of its scores."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

import lrnanalysis as lrn
from lrnanalysis.measures import irt
from lrnanalysis.measures.linking import fixed_anchors

KNOWN = pd.DataFrame({"a": 1.0, "b": [1.5, 2.0, 1.0]}, index=list("xyz"))


def too_few(*args, **options):
    with pytest.warns(lrn.RuleWarning, match="too few for a mean and a variance"):
        return irt.fit(*args, **options)


@pytest.mark.parametrize("model", ["Rasch", "2PL", "GRM"])
def test_one_person(model):
    one = pd.DataFrame([[1.0, 0.0, 1.0]], columns=KNOWN.index)
    fitted = too_few(one, model, fixed=KNOWN)
    assert fitted.converged
    assert fitted.n_parameters == 0
    b = KNOWN["b"].to_numpy()
    wanted = optimize.brentq(lambda theta: 2 - special.expit(theta - b).sum(), -9, 9)
    found = fitted.abilities("ML").iloc[0]
    assert found["ability"] == pytest.approx(wanted, abs=1e-7)
    p = special.expit(wanted - b)
    assert found["se"] == pytest.approx(1 / np.sqrt((p * (1 - p)).sum()), abs=1e-6)
    # EAP and MAP are on the scale of the parameters, N(0, 1).
    x = np.linspace(-9, 9, 2001)
    chance = special.expit(x[:, None] - b)
    mass = np.exp(-(x**2) / 2) * chance[:, 0] * (1 - chance[:, 1]) * chance[:, 2]
    assert fitted.abilities("EAP").iloc[0, 0] == pytest.approx(x @ mass / mass.sum(), abs=1e-5)


def test_one_person_with_every_item_right():
    one = pd.DataFrame([[1.0, 1.0, 1.0]], columns=KNOWN.index)
    fitted = too_few(one, "Rasch", fixed=KNOWN)
    assert fitted.abilities("ML")["ability"].tolist() == [np.inf]
    assert np.isfinite(fitted.abilities("WLE")).all(axis=None)
    assert np.isfinite(fitted.abilities("EAP")).all(axis=None)


def test_one_item():
    one = pd.DataFrame({"x": [1.0, 0.0]})
    assert len(too_few(one, "Rasch", fixed=KNOWN).abilities("EAP")) == 2
    with pytest.raises(lrn.MeasureError, match="1 item"):
        irt.fit(one, "Rasch")
    with pytest.raises(lrn.MeasureError, match="1 item"):
        irt.fit(one, "2PL", fixed={"x": {"a": 1.0}})


def test_an_anchor_that_everybody_solved_tells_the_mean():
    """The marginal likelihood maximised by a search of its own; without the item it is biased."""
    rng = np.random.default_rng(7)
    b = np.array([-2.5, 0.0, 0.5, 1.0])
    theta = rng.normal(1, 1, (60, 1))
    matrix = pd.DataFrame(1.0 * (rng.random((60, 4)) < special.expit(theta - b)), columns=[*"wxyz"])
    matrix["w"] = 1.0
    anchors = pd.DataFrame({"a": 1.0, "b": b}, index=matrix.columns)
    x = np.linspace(-9, 11, 801)
    right = special.log_expit(x[:, None] - b)
    wrong = special.log_expit(b - x[:, None])
    values = matrix.to_numpy()
    chance = np.exp(values @ right.T + (1 - values) @ wrong.T)

    def minus(at):
        weights = np.exp(-0.5 * ((x - at[0]) / np.exp(at[1])) ** 2)
        return -np.log(chance @ (weights / weights.sum())).sum()

    wanted = optimize.minimize(
        minus, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}
    )
    assert wanted.x[0] == pytest.approx(0.86330, abs=1e-4)
    fitted = irt.fit(matrix, "2PL", fixed=anchors)
    assert fitted.groups["mean"].iloc[0] == pytest.approx(wanted.x[0], abs=1e-4)
    assert fitted.groups["variance"].iloc[0] == pytest.approx(np.exp(2 * wanted.x[1]), abs=1e-3)
    assert fitted.loglik == pytest.approx(-wanted.fun, abs=1e-4)
    # An item that nobody was given says nothing.
    both = pd.concat([anchors, KNOWN[:1].set_axis(["v"])])
    more = irt.fit(matrix.assign(v=np.nan), "2PL", fixed=both)
    assert more.groups["mean"].iloc[0] == pytest.approx(wanted.x[0], abs=1e-4)
    assert fixed_anchors(matrix, anchors).loglik == pytest.approx(fitted.loglik, abs=1e-6)


@pytest.mark.parametrize("model", ["PCM", "GPCM", "GRM", "NRM", "RSM"])
def test_scores_that_did_not_occur_keep_their_place(model):
    """The top score of one item, the middle one of another, all but one of a third."""
    rng = np.random.default_rng(3)
    theta = rng.standard_normal((800, 1))
    scores = sum(
        1.0 * (rng.logistic(size=(800, 4)) < theta - np.linspace(-1, 1, 4) - step)
        for step in (-1.0, 0.0, 1.0)
    )
    matrix = pd.DataFrame(scores, columns=[*"wxyz"])
    base = irt.fit(matrix, model)
    few = matrix[(matrix["x"] < 3) & (matrix["y"] != 1) & (matrix["z"] == 0)]
    assert len(few) > 30
    fitted = irt.fit(few, model, fixed=base)
    assert fitted.scores == base.scores
    for method in ("ML", "WLE"):
        wanted = base.abilities(method, matrix=few)
        assert np.allclose(fitted.abilities(method), wanted, atol=1e-5, equal_nan=True)
    # A table has no scores: they count from 0.
    table = base.items.drop(columns=base.items.filter(regex="_se$").columns)
    assert irt.fit(few, model, fixed=table).scores == base.scores


def test_scores_of_a_model_are_known_and_a_table_counts_from_0():
    rng = np.random.default_rng(4)
    logit = rng.standard_normal((300, 1)) - np.linspace(-1, 1, 4)
    matrix = pd.DataFrame(2.0 * (rng.logistic(size=logit.shape) < logit), columns=[*"wxyz"])
    base = irt.fit(matrix, "Rasch")
    right = matrix[matrix["w"] == 2]
    assert irt.fit(right, "Rasch", fixed=base).scores["w"] == [0, 2]
    with pytest.raises(lrn.MeasureError, match=r"'w' has the score 2.*its scores are 0, 1"):
        irt.fit(right, "Rasch", fixed=base.items)


def test_what_is_not_known_is_still_refused():
    matrix = pd.DataFrame({"x": [1.0, 1.0, 1.0, 1.0], "y": [0, 1, 1, 0.0], "z": [1, 0, 1, 0.0]})
    with pytest.raises(lrn.MeasureError, match="'x' have the same score"):
        irt.fit(
            matrix, "2PL", fixed={"x": {"a": 1.0}, "y": {"a": 1, "d": 0}, "z": {"a": 1, "d": 0}}
        )
    with pytest.raises(lrn.MeasureError, match="'x' have the same score"):
        irt.fit(matrix, "3PL", fixed=KNOWN, min_persons=3)


def test_a_group_that_solved_everything_has_no_mean():
    matrix = pd.DataFrame(np.ones((20, 3)), columns=KNOWN.index)
    with pytest.warns(
        lrn.ConvergenceWarning,
        match=r"of group 'all' has no maximum.*items that it does not all get",
    ):
        fitted = irt.fit(matrix, "Rasch", fixed=KNOWN)
    assert np.isfinite(fitted.abilities("WLE")).all(axis=None)
