"""LSAT6 and LSAT7 to the digits that R prints: mirt 1.45.1, ltm 1.2-0, eRm 1.0-2 on R 4.2.2."""

import numpy as np
import pytest

from classical_data import lsat6, lsat7
from lrnanalysis.measures import irt

DATA = {"LSAT6": lsat6(), "LSAT7": lsat7()}


@pytest.fixture(scope="module", params=[True, False], ids=["compiled", "numpy"])
def compiled(request):
    return request.param


def fit(name, model, compiled, **options):
    return irt.fit(DATA[name], model=model, compiled=compiled, **options)


@pytest.mark.parametrize(
    ("name", "loglik", "a", "a_se", "d", "d_se"),
    [
        (
            "LSAT6",
            -2466.65338,
            [0.82566, 0.72274, 0.89087, 0.68837, 0.65686],
            [0.258, 0.187, 0.233, 0.185, 0.210],
            [2.77323, 0.99020, 0.24915, 1.28476, 2.05327],
            [0.2057, 0.0900, 0.0763, 0.0990, 0.1354],
        ),
        (
            "LSAT7",
            -2658.80511,
            [0.98755, 1.08084, 1.70748, 0.76499, 0.73567],
            [0.17719, 0.16876, 0.32108, 0.13412, 0.15113],
            [1.85586, 0.80797, 1.80521, 0.48600, 1.85446],
            [0.13145, 0.09125, 0.20483, 0.07491, 0.11441],
        ),
    ],
)
def test_two_parameters(compiled, name, loglik, a, a_se, d, d_se):
    model = fit(name, "2PL", compiled)
    assert model.converged
    assert model.loglik == pytest.approx(loglik, abs=6e-6)
    digits = 6e-6 if name == "LSAT7" else 6e-4
    assert model.items["a"].to_numpy() == pytest.approx(a, abs=1.5e-5)
    assert model.items["d"].to_numpy() == pytest.approx(d, abs=1.5e-5)
    assert model.items["a_se"].to_numpy() == pytest.approx(a_se, abs=digits)
    assert model.items["d_se"].to_numpy() == pytest.approx(d_se, abs=min(digits, 6e-5))


def test_information_criteria(compiled):
    model = fit("LSAT6", "2PL", compiled)
    assert model.aic == pytest.approx(4953.307, abs=6e-4)
    assert model.bic == pytest.approx(5002.384, abs=6e-4)


@pytest.mark.parametrize(
    ("name", "loglik", "variance"),
    [("LSAT6", -2466.93760, 0.57024), ("LSAT7", -2664.90089, 1.02265)],
)
def test_rasch(compiled, name, loglik, variance):
    model = fit(name, "Rasch", compiled)
    assert model.loglik == pytest.approx(loglik, abs=6e-6)
    assert model.groups["variance"].iloc[0] == pytest.approx(variance, abs=2e-5)
    assert (model.items["a"] == 1).all()


def test_one_parameter(compiled):
    items = fit("LSAT6", "1PL", compiled).items
    assert items["a"].to_numpy() == pytest.approx([0.75513] * 5, abs=1e-5)
    assert items["a_se"].to_numpy() == pytest.approx([0.06943] * 5, abs=1e-5)
    wanted = [-3.61527, -1.32242, -0.31763, -1.73009, -2.78017]
    assert items["b"].to_numpy() == pytest.approx(wanted, abs=2e-5)


@pytest.mark.parametrize(("name", "loglik"), [("LSAT6", -1091.569690), ("LSAT7", -1182.699899)])
def test_conditional_likelihood(name, loglik):
    model = irt.fit(DATA[name], model="Rasch", method="CML")
    assert model.loglik == pytest.approx(loglik, abs=6e-7)


def test_abilities_of_the_lowest_pattern(compiled):
    model = fit("LSAT7", "2PL", compiled)
    for method, ability, se in (
        ("EAP", -1.869783, 0.692700),
        ("MAP", -1.816388, 0.674990),
        ("WLE", -4.137072, None),
    ):
        first = model.abilities(method).iloc[0]
        assert first["ability"] == pytest.approx(ability, abs=5e-6)
        if se is not None:
            assert first["se"] == pytest.approx(se, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "s_x2", "df", "infit", "outfit"),
    [
        (
            "LSAT6",
            [0.450, 1.691, 0.666, 0.175, 0.111],
            [2, 2, 1, 2, 2],
            [1.090, 0.893, 0.776, 0.930, 1.009],
            [0.795, 0.835, 0.759, 0.849, 0.862],
        ),
        (
            "LSAT7",
            [4.751, 14.453, 1.273, 5.236, 0.941],
            [2, 2, 2, 2, 2],
            [0.958, 0.816, 0.750, 0.881, 0.989],
            [0.776, 0.737, 0.484, 0.855, 0.866],
        ),
    ],
)
def test_item_fit(compiled, name, s_x2, df, infit, outfit):
    found = fit(name, "2PL", compiled).item_fit()
    assert found["s_x2"].to_numpy() == pytest.approx(s_x2, abs=1e-3)
    assert found["df"].to_list() == df
    assert found["infit"].to_numpy() == pytest.approx(infit, abs=1e-3)
    assert found["outfit"].to_numpy() == pytest.approx(outfit, abs=1e-3)
    assert found["n_s_x2"].to_list() == [1000] * 5
    assert (found["reason"] == "").all()


@pytest.mark.parametrize(
    ("name", "m2", "p", "rmsea"),
    [("LSAT6", 4.73838, 0.4486, 0.0), ("LSAT7", 11.93841, 0.03564, 0.03727)],
)
def test_model_fit(compiled, name, m2, p, rmsea):
    found = fit(name, "2PL", compiled).model_fit()
    assert found["m2"] == pytest.approx(m2, abs=2e-5)
    assert found["df"] == 5
    assert found["p"] == pytest.approx(p, abs=6e-5)
    assert found["rmsea"] == pytest.approx(rmsea, abs=1e-5)
    same = fit(name, "2PL", compiled).model_fit("C2").rename({"c2": "m2"})
    assert same.to_numpy() == pytest.approx(found.to_numpy(), abs=1e-8)


def test_person_fit_and_local_dependence(compiled):
    model = fit("LSAT7", "2PL", compiled)
    assert model.person_fit()["lz"].iloc[0] == pytest.approx(0.57991, abs=1e-5)
    q3 = model.local_dependence().to_numpy()
    pairs = [q3[0, 1], q3[0, 2], q3[1, 2], q3[2, 3]]
    assert pairs == pytest.approx([-0.134, -0.214, -0.163, -0.170], abs=6e-4)


def test_the_grid_is_fine_enough(compiled):
    coarse = fit("LSAT7", "2PL", compiled)
    fine = fit("LSAT7", "2PL", compiled, nodes=121)
    assert abs(coarse.loglik - fine.loglik) < 1e-3


def test_order_and_repetition_of_rows_do_not_matter(compiled):
    data = DATA["LSAT7"]
    model = irt.fit(data, model="2PL", compiled=compiled)
    mixed = irt.fit(
        data.sample(frac=1, random_state=1)[data.columns[::-1]], model="2PL", compiled=compiled
    )
    counts = data.value_counts().rename("n").reset_index()
    collapsed = irt.fit(
        counts[data.columns], model="2PL", weights=counts["n"].astype(float), compiled=compiled
    )
    for other in (mixed, collapsed):
        assert other.loglik == pytest.approx(model.loglik, abs=1e-6)
        assert np.allclose(
            other.items.loc[data.columns, ["a", "d"]], model.items[["a", "d"]], atol=1e-4
        )
