"""Likelihood-ratio DIF against independent maximisation, and on simulated data."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from classical_data import lsat7
from lrnanalysis.errors import MeasureError
from lrnanalysis.measures.dif import likelihood_ratio


def simulated(persons, items, *, seed, focal_mean=0.0, shift=None, slopes=None):
    """2PL scores of two groups; `shift` is added to items' difficulty for "f"."""
    rng = np.random.default_rng(seed)
    group = np.where(np.arange(persons) % 2, "f", "r")
    ability = rng.normal(size=(persons, 1)) + np.where(group == "f", focal_mean, 0.0)[:, None]
    difficulty = np.tile(np.linspace(-1.2, 1.2, items), (persons, 1))
    a = np.ones((persons, items))
    for item, by in (shift or {}).items():
        difficulty[group == "f", item] += by
    for item, by in (slopes or {}).items():
        a[group == "f", item] *= by
    scores = rng.logistic(size=(persons, items)) < a * (ability - difficulty)
    columns = [f"i{number}" for number in range(items)]
    return pd.DataFrame(scores.astype(float), columns=columns), pd.Series(group)


def independent(values, focal, split):
    """Maximum of the 2PL's log-likelihood with one item split, by a plain optimiser."""
    k = values.shape[1]
    points = np.linspace(-6, 6, 121)
    weight = stats.norm.pdf(points) / stats.norm.pdf(points).sum()
    rows, counts = np.unique(np.column_stack([values, focal]), axis=0, return_counts=True)
    scores, member = rows[:, :k], rows[:, k] == 1

    def loss(p):
        a, d = p[:k], p[k : 2 * k]
        own_a, own_d = a.copy(), d.copy()
        if split is not None:
            own_a[split], own_d[split] = p[2 * k + 2 :]
        total = 0.0
        for inside, slope, cut, mean, sd in (
            (~member, a, d, 0.0, 1.0),
            (member, own_a, own_d, p[2 * k], np.exp(p[2 * k + 1])),
        ):
            logit = np.outer(mean + sd * points, slope) + cut
            right, wrong = special.log_expit(logit), special.log_expit(-logit)
            by_person = scores[inside] @ right.T + (1 - scores[inside]) @ wrong.T
            total += counts[inside] @ special.logsumexp(by_person + np.log(weight), axis=1)
        return -total

    start = np.concatenate(
        [np.ones(k), np.ones(k), np.zeros(2), [1.0, 1.0][: 0 if split is None else 2]]
    )
    return -optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-4}).fun


def test_as_an_independent_maximum():
    matrix = lsat7()
    focal = (np.arange(1000) * 377) % 1000 < 450
    matrix.loc[focal & ((np.arange(1000) * 7919) % 1000 < 300), "item-3"] = 0.0
    found = likelihood_ratio(matrix, np.where(focal, "f", "r"), reference="r")
    shared = independent(matrix.to_numpy(), focal, None)
    for item in (0, 2):
        split = independent(matrix.to_numpy(), focal, item)
        assert found["chi2"].iloc[item] == pytest.approx(2 * (split - shared), abs=2e-3)
    assert found["df"].tolist() == [2] * 5
    assert found.loc["item-3", "flagged"]
    assert found.loc["item-3", "favours"] == "r"


def test_sizes_of_dif_are_recovered():
    matrix, group = simulated(8000, 12, seed=1, focal_mean=-0.5, shift={3: 0.6}, slopes={8: 1.8})
    found = likelihood_ratio(matrix, group, reference="r", purify=True)
    assert found.attrs["purification"]["converged"]
    assert found.loc["i3", "b_difference"] == pytest.approx(0.6, abs=0.12)
    assert found.loc["i8", "a_difference"] == pytest.approx(0.8, abs=0.25)
    assert found.loc["i3", "flagged"]
    assert found.loc["i8", "flagged"]
    # Uniform DIF points one way; DIF that crosses is larger than its balance.
    assert -found.loc["i3", "expected_difference"] == pytest.approx(
        found.loc["i3", "expected_distance"], rel=0.1
    )
    assert found.loc["i3", "favours"] == "r"
    assert found.loc["i8", "expected_distance"] > 1.1 * abs(found.loc["i8", "expected_difference"])
    assert not found["anchor"].loc["i3"]
    rest = found.drop(index=["i3", "i8"])
    assert rest["b_difference"].abs().max() < 0.25
    json.dumps(found.attrs)


def test_partial_credit_models_and_rasch():
    matrix, group = simulated(3000, 16, seed=2, shift={0: 0.7, 8: 0.7})
    pairs = pd.DataFrame({f"p{k}": matrix.iloc[:, k] + matrix.iloc[:, k + 8] for k in range(8)})
    for model, df in (("GPCM", 3), ("GRM", 3), ("PCM", 2)):
        found = likelihood_ratio(pairs, group, model=model, reference="r")
        assert found["df"].tolist() == [df] * 8
        assert found["chi2"].idxmax() == "p0"
        assert found.loc["p0", "b_difference"] > 0.3
    mixed = pairs.assign(single=matrix["i3"])
    models = dict.fromkeys(pairs, "GPCM") | {"single": "2PL"}
    found = likelihood_ratio(mixed, group, model=models, reference="r")
    assert found.loc["single", "df"] == 2
    assert likelihood_ratio(matrix, group, model="1PL")["df"].tolist() == [1] * 16


def test_anchors():
    matrix, group = simulated(2000, 8, seed=3, shift={0: 0.8})
    anchors = ["i2", "i3", "i4", "i5"]
    found = likelihood_ratio(matrix, group, reference="r", anchor=anchors)
    assert found["anchor"].tolist() == [False, False, True, True, True, True, False, False]
    assert found.loc[anchors, "p_adjusted"].isna().all()
    assert found.loc["i0", "flagged"]
    # With one anchor nothing else holds the groups together, and it cannot be tested itself.
    single = likelihood_ratio(matrix, group, reference="r", anchor=["i2"])
    assert np.isnan(single.loc["i2", "chi2"])
    assert single.loc["i0", "chi2"] > 0


def test_the_reference_need_not_come_first():
    matrix, group = simulated(600, 6, seed=4, focal_mean=-1.0, shift={0: 0.8})
    one = likelihood_ratio(matrix, group, reference="r")
    other = likelihood_ratio(matrix, group, reference="f")
    rows = np.random.default_rng(0).permutation(600)
    shuffled = likelihood_ratio(matrix.iloc[rows], group, reference="r")
    assert other["chi2"].tolist() == pytest.approx(one["chi2"].tolist(), abs=1e-3)
    assert shuffled["chi2"].tolist() == pytest.approx(one["chi2"].tolist(), abs=1e-4)
    assert other["favours"].equals(one["favours"])


def test_three_groups_and_gaps():
    matrix, group = simulated(3000, 8, seed=5, shift={0: 0.8})
    three = group.mask(np.arange(3000) % 3 == 0, "h")
    gaps = matrix.mask(np.random.default_rng(1).random(matrix.shape) < 0.2)
    found = likelihood_ratio(gaps, three, model="Rasch", reference="r")
    assert found["df"].tolist() == [2] * 8
    assert found["chi2"].idxmax() == "i0"
    assert found["b_difference"].isna().all()


def test_items_that_cannot_be_split():
    matrix, group = simulated(600, 6, seed=6)
    matrix.loc[group == "f", "i5"] = np.nan
    matrix.loc[group == "f", "i4"] = 1.0
    found = likelihood_ratio(matrix, group, model="Rasch", reference="r")
    assert found.loc[["i4", "i5"], ["chi2", "p"]].isna().all(axis=None)
    assert found.loc["i5", "n_focal"] == 0
    assert found["chi2"].iloc[:4].notna().all()
    assert not found["flagged"].iloc[4:].any()


def test_messages_name_the_item():
    matrix, group = simulated(400, 6, seed=8)
    for scores, message in (
        (matrix.assign(i3=1.0), "'i3' have the same score"),
        (matrix.assign(i3=matrix["i3"] / 2), "item 'i3' has the score 0.5"),
        (matrix.assign(i3=matrix["i3"] + matrix["i4"]), "item 'i3' has 3 scores"),
        (matrix.assign(i3=np.nan), "'i3' have no score"),
    ):
        with pytest.raises(MeasureError, match=message):
            likelihood_ratio(scores, group)
    # An item that follows the ability without error has no slope: in a group of its own too.
    total = matrix.sum(axis=1)
    steep = matrix.assign(i3=1.0 * (total > 3))
    found = likelihood_ratio(steep, group, reference="r", anchor=["i0", "i1", "i2"], max_iter=40)
    assert not found["converged"].all()
    failed = found.loc[~found["converged"]]
    assert failed["reason"].notna().all()
    assert failed[["a_difference", "b_difference"]].isna().all(axis=None)


def test_labels_of_any_kind():
    matrix, group = simulated(400, 5, seed=9)
    expected = likelihood_ratio(matrix, group, model="Rasch")
    for labels in ([1, "1", 2.5, "x in group f", ("a", 1)], list(range(5))):
        named = matrix.set_axis(pd.Index(labels, tupleize_cols=False), axis=1)
        found = likelihood_ratio(named, group, model=dict.fromkeys(labels, "Rasch"))
        assert found["chi2"].tolist() == expected["chi2"].tolist()
        assert list(found.index) == labels


def test_groups_without_the_item_do_not_count():
    matrix, group = simulated(900, 6, seed=10, shift={2: 0.8})
    three = group.mask(np.arange(900) % 3 == 0, "h")
    gaps = matrix.assign(
        i2=matrix["i2"].mask(three == "h"), i5=matrix["i5"].where(three == "f", np.nan)
    )
    found = likelihood_ratio(gaps, three, model="Rasch", reference="r")
    assert found["df"].tolist() == [2, 2, 1, 2, 2, pd.NA]
    assert found.loc["i2", "reason"] == "no scores in group 'h': df is that of the other groups"
    assert found.loc["i5", "reason"] == "only group 'f' has scores"
    assert found["chi2"].iloc[:5].idxmax() == "i2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"purify": True, "anchor": ["i0"]}, "purify chooses the anchor items itself"),
        ({"weights": [1.0]}, "weights cannot be passed"),
        ({"fixed": {"i0": {"b": 0.0}}}, "fixed cannot be passed: name the items that are fair"),
        ({"model": {"i0": "2PL"}}, "model has no entry for item 'i1'"),
        ({"level": 2}, "level is 2"),
        ({"model": "5PL"}, "model is '5PL'"),
    ],
)
def test_wrong_arguments(arguments, message):
    matrix, group = simulated(200, 4, seed=7)
    with pytest.raises(MeasureError, match=message):
        likelihood_ratio(matrix, group, **arguments)


@pytest.mark.slow
def test_type_one_error():
    p = {"Rasch": [], "2PL": []}
    for seed in range(40):
        matrix, group = simulated(800, 8, seed=seed, focal_mean=-0.5)
        for model, found in p.items():
            found.append(likelihood_ratio(matrix, group, model=model)["p"])
    for found in p.values():
        # 320 tests: three standard errors are .037.
        assert abs((np.array(found) < 0.05).mean() - 0.05) < 0.037
        assert stats.kstest(np.concatenate(found), "uniform").pvalue > 0.001
