"""Item response models find the truth that data were drawn from, and say when they cannot."""

import numpy as np
import pandas as pd
import pytest

import lrnanalysis as lrn
from lrnanalysis.measures import irt


def two_parameter_data(persons, items, seed):
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(persons)
    a, b = rng.lognormal(0, 0.3, items), rng.standard_normal(items)
    chance = 1 / (1 + np.exp(-a * (theta[:, None] - b)))
    scores = (rng.random((persons, items)) < chance).astype(float)
    frame = pd.DataFrame(scores, columns=[f"i{n:02d}" for n in range(items)])
    return frame, theta, a, b


@pytest.fixture(scope="module")
def drawn():
    return two_parameter_data(4000, 25, 11)


def test_parameters_lie_where_their_errors_say(drawn):
    data, _, a, b = drawn
    items = irt.fit(data, model="2PL").items
    for name, truth in (("a", a), ("b", b)):
        z = (items[name] - truth) / items[f"{name}_se"]
        assert 0.7 < np.sqrt((z**2).mean()) < 1.3
    assert np.sqrt(((items["a"] - a) ** 2).mean()) < 0.08


@pytest.mark.parametrize("method", ["EAP", "MAP", "ML", "WLE"])
def test_abilities_are_recovered(drawn, method):
    data, theta, _, _ = drawn
    found = irt.fit(data, model="2PL").abilities(method)
    finite = np.isfinite(found["ability"]) & np.isfinite(found["se"])
    assert finite.mean() > 0.95
    off = (found["ability"] - theta)[finite]
    assert np.corrcoef(found["ability"][finite], theta[finite])[0, 1] > 0.88
    assert 0.8 < np.sqrt((off**2).mean() / (found["se"][finite] ** 2).mean()) < 1.25


def test_planned_forms_give_one_scale(drawn):
    data, _, a, b = drawn
    split = data.copy()
    half = len(split) // 2
    split.iloc[:half, 17:] = np.nan
    split.iloc[half:, :8] = np.nan
    items = irt.fit(split, model="2PL").items
    z = (items["b"] - b) / items["b_se"]
    assert np.sqrt((z**2).mean()) < 1.4
    z = (items["a"] - a) / items["a_se"]
    assert np.sqrt((z**2).mean()) < 1.4


def test_compiled_and_numpy_paths_agree(drawn):
    data = drawn[0].mask(np.random.default_rng(2).random(drawn[0].shape) < 0.05)
    for model in ("2PL", "3PL"):
        few = data.iloc[:1500, :10]
        one, other = (irt.fit(few, model=model, compiled=way) for way in (True, False))
        assert one.loglik == pytest.approx(other.loglik, abs=1e-6)
        assert np.allclose(one.items["a"], other.items["a"], atol=1e-4)


def test_doubling_the_grid_changes_nothing_at_fifty_items():
    data = two_parameter_data(3000, 50, 4)[0]
    coarse, fine = irt.fit(data), irt.fit(data, nodes=121)
    assert abs(coarse.loglik - fine.loglik) < 1e-3


@pytest.mark.parametrize("model", ["GRM", "GPCM", "PCM", "RSM"])
def test_partial_credit(model):
    rng = np.random.default_rng(3)
    theta = rng.standard_normal(2500)
    b = np.linspace(-1, 1, 8)
    steps = b[:, None] + np.array([-0.8, 0.0, 0.8])
    if model == "GRM":
        above = 1 / (1 + np.exp(-(theta[:, None, None] - steps)))
        scores = (rng.random((2500, 8, 1)) < above).sum(axis=2)
    else:
        logits = np.concatenate(
            [np.zeros((2500, 8, 1)), np.cumsum(theta[:, None, None] - steps, axis=2)], axis=2
        )
        cut = np.cumsum(np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True), axis=2)
        scores = (rng.random((2500, 8, 1)) > cut).sum(axis=2)
    fitted = irt.fit(pd.DataFrame(scores.astype(float)), model=model)
    assert fitted.converged
    found = fitted.abilities("EAP")["ability"]
    # Eight items of slope 1 tell about two thirds of the variance.
    assert np.corrcoef(found, theta)[0, 1] > 0.8
    expected = fitted.expected_scores([0.0]).to_numpy().ravel()
    near = np.abs(theta) < 0.15
    assert expected == pytest.approx(scores[near].mean(axis=0), abs=0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.assign(i00=1.0), "i00"),
        (lambda data: data.assign(i00=data["i00"] + 0.5), "i00"),
        (lambda data: data[["i00"]], "column|item"),
        (lambda data: data.iloc[:0], "have no score"),
        (lambda data: data.assign(i00=np.nan), "i00"),
    ],
)
def test_bad_data_get_a_clear_answer(drawn, change, message):
    with pytest.raises(lrn.MeasureError, match=message):
        irt.fit(change(drawn[0].iloc[:300, :6]), model="2PL")


def test_disconnected_forms_are_refused(drawn):
    data = drawn[0].iloc[:400, :10].copy()
    data.iloc[:200, 5:] = np.nan
    data.iloc[200:, :5] = np.nan
    with pytest.raises(lrn.MeasureError):
        irt.fit(data, model="2PL")


def test_saving_and_loading(drawn, tmp_path):
    model = irt.fit(drawn[0].iloc[:800, :8], model="2PL")
    model.save(tmp_path / "model.json")
    again = irt.load(tmp_path / "model.json")
    assert again.loglik == model.loglik
    pd.testing.assert_frame_equal(again.items, model.items)


LABELS = [
    [0, 1, 2, 3],
    [1, "1", "b", 2.5],
    [True, "True", 3, "x"],
    [("a", 1), ("a", 2), ("b", 1), ("b", 2)],
    ["a", "b", "c", "d"],
]


@pytest.mark.parametrize("items", LABELS, ids=str)
@pytest.mark.parametrize("groups", [[0, 1], [1, "1"], [("de", 1), ("fr", 2)], ["x", "y"]], ids=str)
def test_labels_keep_their_types(drawn, tmp_path, items, groups):
    matrix = drawn[0].iloc[:100, :4].set_axis(pd.Index(items, tupleize_cols=False), axis=1)
    group = [groups[number % 2] for number in range(100)]
    model = irt.fit(matrix, "Rasch", group=group)
    model.save(tmp_path / "model.json")
    again = irt.load(tmp_path / "model.json")
    assert list(map(repr, again.items.index)) == list(map(repr, model.items.index))
    assert again.groups.index.tolist() == groups
    wanted = model.abilities("MAP")
    pd.testing.assert_frame_equal(again.abilities("MAP", matrix=matrix, group=group), wanted)


def test_a_saved_model_of_an_array_scores_that_array(drawn, tmp_path):
    array = drawn[0].iloc[:300, :6].to_numpy()
    model = irt.fit(array, "2PL")
    model.save(tmp_path / "model.json")
    again = irt.load(tmp_path / "model.json")
    for matrix in (array, pd.DataFrame(array)):
        pd.testing.assert_frame_equal(again.abilities(matrix=matrix), model.abilities())


def test_labels_that_become_the_same_text_are_refused(drawn, tmp_path):
    day = pd.Timestamp("2024-03-01")
    matrix = drawn[0].iloc[:100, :3].set_axis(pd.Index([day, str(day), "x"], dtype=object), axis=1)
    with pytest.raises(lrn.MeasureError, match="labels of items become '2024-03-01 00:00:00'"):
        irt.fit(matrix, "Rasch").save(tmp_path / "model.json")


def test_files_of_the_format_before_are_read(drawn, tmp_path):
    model = irt.fit(drawn[0].iloc[:100, :4], "Rasch")
    model.save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text()
    (tmp_path / "model.json").write_text(text.replace("IRT model 3", "IRT model 2"))
    pd.testing.assert_frame_equal(irt.load(tmp_path / "model.json").items, model.items)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-20], "is not JSON text"),
        (
            lambda text: text.replace("IRT model 3", "IRT model 1"),
            "not a saved model of the format",
        ),
        (lambda text: text.replace('"latent"', '"talent"'), "a damaged model: KeyError"),
        (lambda text: text.replace('"base": [', '"base": ["x", '), "a damaged model"),
    ],
)
def test_a_file_that_is_not_a_model_is_refused(drawn, tmp_path, change, said):
    file = tmp_path / "model.json"
    irt.fit(drawn[0].iloc[:300, :8], model="2PL").save(file)
    file.write_text(change(file.read_text()))
    with pytest.raises(lrn.MeasureError, match=said):
        irt.load(file)
