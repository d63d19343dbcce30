"""Items whose points changed between sessions: every answer keeps its share of its own maximum."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from analysis_studies import answer, session_record
from lrnanalysis.study import SessionData
from measure_tables import items_frame
from record_tables import tables_of


def study_of(points, most, groups=None):
    """A study of persons × items with the points and the maxima given, item by item."""
    records = []
    for person, (scores, maxima) in enumerate(zip(points, most, strict=True)):
        session = f"s{person:03}"
        items, responses = zip(
            *(
                answer(session, f"i{at}", score=score, most=maximum, time=20.0)
                for at, (score, maximum) in enumerate(zip(scores, maxima, strict=True))
            ),
            strict=True,
        )
        metadata = {} if groups is None else {"group": groups[person]}
        records.append(
            session_record(
                session, user=f"u{person}", items=items, responses=responses, metadata=metadata
            )
        )
    return SessionData(tables_of(*records))


@pytest.fixture
def study():
    """Item i0 is worth 2 points in six sessions and 4 in the other six; i1 always 1."""
    points = [(2 if at % 2 else 1, int(at % 3 == 0)) for at in range(12)]
    return study_of(points, [(2 if at < 6 else 4, 1) for at in range(12)])


def test_difficulty_is_the_mean_share_of_the_points_that_could_be_had(study):
    with pytest.warns(lrn.DataWarning, match="'i0' is worth 2 or 4 points"):
        statistics = study.analysis().item_statistics()
    assert statistics.loc["i0", "p"] == pytest.approx((6 * 0.75 + 6 * 0.375) / 12)
    assert statistics.loc["i0", "max_score"] == 4
    assert statistics.loc["i1", "p"] == pytest.approx(4 / 12)


def test_shares_need_no_common_scale(study):
    shares = study.analysis(value="share")
    assert shares.scores.loc["s000", "i0"] == 0.5
    assert shares.scores.loc["s006", "i0"] == 0.25
    assert "rescaled" not in shares.methods_text()


def test_the_rules_and_the_methods_text_say_so(study):
    analysis = study.analysis()
    with pytest.warns(lrn.DataWarning):
        rules = analysis.rules
    assert "'i0' is worth 2 or 4 points" in rules.loc["value", "effect"]
    assert "Points of one item, worth different points" in analysis.methods_text()
    assert "rescaled" not in study.analysis(value="share").rules.loc["value", "effect"]


def test_check_reports_the_rows_below_the_highest(study):
    found = study.check()
    assert found.loc["items of several max_score", ["count", "sessions"]].tolist() == [6, 6]
    assert found.loc["responses of several max_score", "count"] == 6
    same = study_of([(1, 1), (0, 1)], [(1, 1), (1, 1)])
    assert not same.check().index.str.contains("several max_score").any()


def test_one_of_one_and_three_of_three_are_both_right():
    rng = np.random.default_rng(4)
    ability = rng.normal(size=(240, 1))
    right = (rng.random((240, 6)) < 1 / (1 + np.exp(-(ability - np.linspace(-1, 1, 6))))).astype(
        int
    )
    most = np.ones((240, 6), dtype=int)
    plain = study_of(right.tolist(), most.tolist()).analysis()
    most[::2, 0] = 3
    with pytest.warns(lrn.DataWarning, match="1 or 3 points"):
        changed = study_of((right * most).tolist(), most.tolist()).analysis().fit("2PL")
    np.testing.assert_allclose(changed.items["b"], plain.fit("2PL").items["b"], atol=1e-6)
    assert changed.loglik == pytest.approx(plain.fit("2PL").loglik, abs=1e-6)


def test_a_group_with_other_points_does_not_function_differently():
    rng = np.random.default_rng(8)
    ability = rng.normal(size=(400, 1))
    right = (rng.random((400, 8)) < 1 / (1 + np.exp(-(ability - np.linspace(-1, 1, 8))))).astype(
        int
    )
    groups = np.where(np.arange(400) % 2, "fr", "de")
    plain = study_of(right.tolist(), np.ones_like(right).tolist(), groups).analysis()
    most = np.ones_like(right)
    most[groups == "fr", 0] = 3
    changed = study_of((right * most).tolist(), most.tolist(), groups).analysis()
    with pytest.warns(lrn.DataWarning):
        table = changed.dif("metadata.group", "logistic")
    assert changed.dif("metadata.group").loc["i0", "ets"] == "A"
    before = plain.dif("metadata.group", "logistic")
    # Item i0 weighs three times as much in the matching score; its own groups stay alike.
    assert table.loc["i0", "jodoin_gierl"] == before.loc["i0", "jodoin_gierl"] == "A"
    assert abs(table.loc["i0", "log_odds"]) < 0.6


@pytest.mark.parametrize(
    "call",
    [
        lambda analysis: analysis.fit("GPCM"),
        lambda analysis: analysis.dif("metadata.group", "likelihood_ratio"),
        lambda analysis: analysis.dif("metadata.group", "logistic"),
    ],
)
def test_score_categories_of_different_maxima_are_refused(call):
    points = [((at * 7) % 3, at % 2) for at in range(30)]
    study = study_of(points, [(2 if at < 15 else 4, 1) for at in range(30)], ["de", "fr"] * 15)
    with (
        pytest.warns(lrn.DataWarning),
        pytest.raises(lrn.errors.MeasureError, match=r"'i0' is worth 2 or 4 points.*categories"),
    ):
        call(study.analysis())


def test_score_matrix_notes_what_it_rescaled():
    items = items_frame(
        ("s", "a", 1, 9.0, 1, 2), ("t", "a", 1, 9.0, 1, 4), ("t", "b", 2, 9.0, 1, 1)
    )
    with pytest.warns(lrn.DataWarning, match="depending on the session"):
        matrix = lrn.scores.score_matrix(items)
    assert matrix["a"].tolist() == [2.0, 1.0]
    assert matrix.attrs["rescaled"] == {"a": [2.0, 4.0]}
    assert lrn.scores.score_matrix(items, value="share")["a"].tolist() == [0.5, 0.25]


def test_questions_are_rescaled_by_their_own_maxima(study):
    with pytest.warns(lrn.DataWarning, match="'q-i0'"):
        scores = study.analysis(level="question").scores
    assert scores.loc["s000", "q-i0"] == 2
    assert scores.loc["s006", "q-i0"] == 1


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@pytest.mark.filterwarnings("ignore::lrnanalysis.DataWarning")
def test_other_points_for_the_same_answers_change_no_share_and_no_correlation(seed, most):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, most + 1, (12, 4))
    plain = study_of(points.tolist(), np.full((12, 4), most).tolist())
    factor = np.where(rng.random((12, 1)) < 0.5, 1, rng.integers(1, 4))
    factor = np.broadcast_to(factor, points.shape)
    changed = study_of((points * factor).tolist(), (most * factor).tolist())
    columns = ["n", "p", "p_low", "p_high", "item_rest_r"]
    before, after = (one.analysis().item_statistics() for one in (plain, changed))
    pd.testing.assert_frame_equal(before[columns], after[columns], check_exact=False, atol=1e-12)
    pd.testing.assert_frame_equal(
        plain.analysis(value="share").scores, changed.analysis(value="share").scores
    )
