"""The simulation: records in the API's shapes, consistent with themselves, true to their truth."""

import itertools
import json
import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lrnanalysis as lrn
from lrnanalysis.simulation import simulate
from lrnanalysis.simulation.answer_catalogues import QUESTION_TYPES
from lrnanalysis.simulation.assessment import SimulatedItem, SimulatedQuestion

SESSION_KEYS = {
    "user_id", "activity_id", "num_attempted", "num_questions", "session_id", "score",
    "max_score", "subscores", "session_duration", "status", "dt_started", "dt_completed",
    "responses", "items", "metadata",
}  # fmt: skip
RESPONSE_KEYS = {
    "response_id", "question_type", "question_reference", "item_reference", "automarkable",
    "attempted", "score", "max_score", "dt_score_updated", "response",
}  # fmt: skip
ITEM_KEYS = {"reference", "response_ids", "user_flagged", "scoring", "source"}
NOTHING_SPECIAL = {
    "attempts": 0.0,
    "rapid_guessers": 0.0,
    "omit": 0.0,
    "not_reached": 0.0,
    "pauses": 0.0,
    "incomplete": 0.0,
    "discarded": 0.0,
    "pending": 0.0,
    "testlets": 0.0,
}
SHARES = [*NOTHING_SPECIAL, "anchors", "dif_items", "essays", "guessing"]


def read(simulation):
    return [json.loads(record) for record in simulation.records()]


def unix(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def default():
    return simulate()


@pytest.fixture(scope="module")
def records(default):
    return read(default)


@pytest.fixture(scope="module")
def plain():
    """A large study in which nothing happens but answers."""
    return simulate(6000, 24, seed=11, **NOTHING_SPECIAL)


@pytest.fixture(scope="module")
def answers(plain):
    """Its answers with the persons' truth beside them."""
    sessions = plain.truth["sessions"].merge(plain.truth["persons"][["user_id", "group"]])
    return plain.answers.merge(sessions[["session_id", "ability", "speed", "group"]])


# Records --------------------------------------------------------------------------------------


def assert_consistent(record, time_limit):
    """A record against the sentences of the endpoint's documentation."""
    assert set(record) - {"dt_saved"} == SESSION_KEYS
    assert set(record["metadata"]) == {
        "activity_template_id", "items_api_version", "max_time", "user_agent",
    }  # fmt: skip
    assert record["metadata"]["max_time"] == time_limit
    responses = {response["response_id"]: response for response in record["responses"]}
    assert len(responses) == len(record["responses"]) == record["num_questions"]
    assert record["num_attempted"] == sum(one["attempted"] for one in responses.values())
    named = [one for item in record["items"] for one in item["response_ids"]]
    assert named == list(responses)
    for response in responses.values():
        assert_response(response)
    for item in record["items"]:
        assert_item(item, [responses[one] for one in item["response_ids"]])
    assert_scores(record)
    assert_times(record, time_limit)


def assert_response(response):
    assert set(response) == RESPONSE_KEYS
    assert response["attempted"] == (response["response"] is not None)
    assert response["automarkable"] == (response["question_type"] != "longtextV2")
    assert (response["score"] is None) == (response["dt_score_updated"] is None)
    if response["score"] is not None:
        assert 0 <= response["score"] <= response["max_score"]
        assert response["attempted"] or response["score"] == 0
    stored = response["response"]
    if stored is not None:
        words = {"wordCount"} if response["question_type"] == "longtextV2" else set()
        assert set(stored) == {"value", "type", "apiVersion", "revision"} | words
        assert stored["revision"] >= 1
        assert stored["type"] == ("string" if isinstance(stored["value"], str) else "array")


def assert_item(item, responses):
    assert set(item) - {"time"} == ITEM_KEYS
    assert set(item["source"]) == {"reference", "organisation_id", "item_pool_id"}
    assert all(response["item_reference"] == item["reference"] for response in responses)
    if "time" not in item:
        assert not any(response["attempted"] for response in responses)
    else:
        assert item["time"] >= 1
    scores = [response["score"] for response in responses]
    scoring = item["scoring"]
    assert set(scoring) == {"score", "max_score", "type"}
    if None in scores:
        assert scoring["score"] is None
        return
    full = [response["score"] == response["max_score"] for response in responses]
    if scoring["type"] == "dichotomous":
        assert scoring["score"] == all(full)
        assert scoring["max_score"] == 1
    elif scoring["type"] == "dependent":
        counted = full.index(False) + 1 if False in full else len(full)
        assert scoring["score"] == sum(scores[:counted])
    else:
        assert scoring["type"] == "per-question"
        assert scoring["score"] == sum(scores)


def assert_scores(record):
    scores = [item["scoring"]["score"] for item in record["items"]]
    assert record["max_score"] == sum(item["scoring"]["max_score"] for item in record["items"])
    if record["score"] is not None:
        assert record["score"] == sum(score for score in scores if score is not None)
    else:
        assert record["status"] in ("Incomplete", "Discarded")
        assert set(scores) == {None}
    assert (record["subscores"] is None) == (record["score"] is None)
    waiting = [
        response
        for response in record["responses"]
        if response["attempted"] and response["score"] is None
    ]
    if record["status"] == "Pending Scoring":
        assert waiting
        assert all(response["question_type"] == "longtextV2" for response in waiting)
    if record["status"] == "Completed":
        assert not waiting
    for strand in record["subscores"] or []:
        items = [item for item in record["items"] if item["reference"] in strand["items"]]
        known = [item["scoring"]["score"] or 0 for item in items]
        assert strand["score"] == sum(known)
        assert strand["max_score"] == sum(item["scoring"]["max_score"] for item in items)
        assert strand["score"] <= strand["attempted_max_score"] <= strand["max_score"]
        assert strand["num_attempted"] <= strand["num_questions"]
        assert (strand["num_unmarked"] > 0) == (strand["unmarked_max_score"] > 0)


def assert_times(record, time_limit):
    active = sum(item.get("time", 0) for item in record["items"])
    assert active <= time_limit
    started = unix(record["dt_started"])
    if record["dt_completed"] is None:
        assert record["status"] in ("Incomplete", "Discarded")
        assert record["session_duration"] == 0
        assert unix(record["dt_saved"]) - started >= active
    else:
        assert record["status"] != "Incomplete"
        elapsed = unix(record["dt_completed"]) - started
        assert elapsed >= active
        assert record["session_duration"] == math.ceil(elapsed / 60)
        if "dt_saved" in record:
            assert started < unix(record["dt_saved"]) < unix(record["dt_completed"])
    # What has no time comes after all that has.
    timed = ["time" in item for item in record["items"]]
    assert timed == sorted(timed, reverse=True)


def test_records_are_consistent(default, records):
    for record in records:
        assert_consistent(record, default.time_limit)
    assert len({record["session_id"] for record in records}) == len(records) == len(default)
    assert {record["activity_id"] for record in records} == {"demo"}


@settings(max_examples=40, deadline=None)
@given(
    learners=st.integers(1, 12),
    items=st.integers(1, 9),
    seed=st.integers(0, 2**63 - 1),
    options=st.fixed_dictionaries(
        {},
        optional={name: st.sampled_from([0.0, 0.3, 1.0]) for name in SHARES}
        | {"time_limit": st.sampled_from([1, 60, 900])},
    ),
)
def test_records_are_consistent_whatever_is_asked_for(learners, items, seed, options):
    if options.get("incomplete", 0.04) + options.get("discarded", 0.02) > 1:
        options["discarded"] = 0.0
    simulation = simulate(learners, items, seed=seed, **options)
    for record in read(simulation):
        assert_consistent(record, simulation.time_limit)


def test_records_come_in_the_order_of_their_updates(default, records):
    assert (np.diff(default.updated) >= 0).all()
    for updated, record in zip(default.updated, records, strict=True):
        touched = [record.get("dt_saved"), record["dt_completed"], record["dt_started"]]
        touched += [response["dt_score_updated"] for response in record["responses"]]
        assert updated >= max(unix(moment) for moment in touched if moment)


@pytest.mark.slow
def test_the_package_finds_no_fault(default, tmp_path):
    pages = [json.loads(page) for page in default.pages()]
    (tmp_path / "pages.json").write_text(json.dumps(pages))
    study = lrn.read(tmp_path / "pages.json")
    assert len(study) == len(default)
    assert study.check().empty


def test_values_are_what_their_question_type_holds(records):
    seen = set()
    for response in itertools.chain.from_iterable(record["responses"] for record in records):
        if response["response"] is None:
            continue
        value, kind = response["response"]["value"], response["question_type"]
        seen.add(kind)
        if kind in ("shorttext", "formulaV2", "longtextV2"):
            assert isinstance(value, str)
        elif kind == "mcq":
            assert set(value) <= set("01234")
        elif kind in ("clozedropdown", "association"):
            assert all(one is None or isinstance(one, str) for one in value)
        elif kind == "choicematrix":
            assert set(value) <= {0, 1, None}
        else:
            assert sorted(value) == [0, 1, 2, 3]
    assert seen == {one.name for one in QUESTION_TYPES.values()}


def test_pages_hold_the_records(default):
    pages = list(default.pages(size=7))
    metas = [json.loads(page)["meta"] for page in pages]
    assert [record for page in pages for record in json.loads(page)["data"]] == read(default)
    assert all(meta["status"] is True for meta in metas)
    assert [meta["records"] for meta in metas[:-1]] == [7] * (len(pages) - 1)
    assert len({meta["next"] for meta in metas}) == len(pages)
    with pytest.raises(ValueError, match="size is 51"):
        default.pages(51)


def test_the_same_arguments_give_the_same_bytes(default):
    assert list(simulate().records()) == list(default.records())
    assert list(simulate(seed=2).records()) != list(default.records())


def test_the_test_does_not_depend_on_the_learners(default):
    other = simulate(learners=3, attempts=0.5, omit=0.4)
    for name in ("items", "questions", "options", "forms"):
        pd.testing.assert_frame_equal(other.truth[name], default.truth[name])


def test_its_repr_is_marked_simulated(default):
    assert "SIMULATED" in repr(default)
    assert "500 learners" in repr(default)


# Truth ----------------------------------------------------------------------------------------


def test_truth_links_to_the_records(default, records):
    sessions = default.truth["sessions"]
    assert sessions["session_id"].tolist() == [record["session_id"] for record in records]
    assert sessions["user_id"].tolist() == [record["user_id"] for record in records]
    assert sessions["status"].tolist() == [record["status"] for record in records]
    active = [sum(item.get("time", 0) for item in record["items"]) for record in records]
    assert sessions["active"].tolist() == active
    assert sessions["dt_started"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist() == [
        record["dt_started"] for record in records
    ]
    attempts = sessions.sort_values("dt_started").groupby("user_id")["attempt"]
    assert attempts.apply(lambda one: one.tolist() == [*range(1, len(one) + 1)]).all()
    persons = default.truth["persons"].set_index("user_id")
    assert attempts.size().to_dict() == persons["attempts"].to_dict()


def test_answers_are_those_of_the_records(default, records):
    answers = default.answers
    responses = [response for record in records for response in record["responses"]]
    assert len(answers) == len(responses)
    assert answers["question_reference"].tolist() == [
        response["question_reference"] for response in responses
    ]
    assert (answers["outcome"] == "answered").tolist() == [
        response["attempted"] for response in responses
    ]
    for points, response in zip(answers["points"], responses, strict=True):
        assert response["score"] in (points, None)
    counts = pd.crosstab(answers["session_id"], answers["outcome"])
    sessions = default.truth["sessions"].set_index("session_id")
    for column in ("n_omitted", "n_not_reached", "n_cut_off"):
        outcome = column[2:].replace("_", " ")
        assert counts[outcome].to_dict() == sessions[column].to_dict()


def test_session_metadata_is_that_of_the_learners(default, records):
    persons = default.truth["persons"].set_index("user_id")
    expected = persons.loc[[record["user_id"] for record in records], ["group", "grade", "school"]]
    assert default.session_metadata.to_numpy().tolist() == expected.to_numpy().tolist()
    assert not any("group" in record["metadata"] for record in records)


def test_abilities_and_speeds_are_as_asked_for():
    persons = simulate(
        20_000, 1, groups={"A": 0.5, "B": 0.0, "C": -0.4}, speed_sd=0.4, speed_correlation=-0.5
    ).truth["persons"]
    assert persons["ability"].mean() == pytest.approx(0.0, abs=0.03)
    assert persons["ability"].std() == pytest.approx(1.0, abs=0.02)
    means = persons.groupby("group", observed=True)["ability"].mean()
    assert means["A"] - means["C"] == pytest.approx(0.9, abs=0.06)
    assert persons["speed"].std() == pytest.approx(0.4, abs=0.01)
    assert persons["ability"].corr(persons["speed"]) == pytest.approx(-0.5, abs=0.02)


def probabilities(question, ability):
    """Probability of each number of points or more."""
    thresholds = question[["b1", "b2", "b3", "b4"]].dropna().to_numpy(dtype=float)
    curves = 1 / (1 + np.exp(-question["a"] * (ability[:, None] - thresholds)))
    return question["c"] + (1 - question["c"]) * curves


def test_points_follow_their_model(plain, answers):
    """Numbers reaching each threshold, and their relation to ability, within 4.5 SE."""
    questions = plain.truth["questions"].set_index("question_reference")
    assert len(questions["kind"].unique()) > 6
    for reference, own in answers.groupby("question_reference", observed=True):
        question = questions.loc[reference]
        shift = np.where(own["group"] == "B", question["dif"], 0.0)
        ability = own["ability"].to_numpy()
        expected = probabilities(question, ability - shift)
        reached = own["points"].to_numpy()[:, None] > np.arange(expected.shape[1])
        variance = expected * (1 - expected)
        for weight in (np.ones(len(own)), ability):
            off = weight @ (reached - expected)
            assert (np.abs(off) < 4.5 * np.sqrt(weight**2 @ variance)).all()


def test_questions_of_an_item_depend_on_each_other():
    simulation = simulate(4000, 12, **(NOTHING_SPECIAL | {"testlets": 1.0, "essays": 0.0}))
    questions = simulation.truth["questions"].set_index("question_reference")
    answers = simulation.answers.merge(simulation.truth["sessions"][["session_id", "ability"]])
    points = answers.pivot(index="session_id", columns="question_reference", values="points")
    ability = answers.groupby("session_id")["ability"].first().reindex(points.index)
    residual = points.apply(
        lambda one: one - probabilities(questions.loc[one.name], ability.to_numpy()).sum(axis=1)
    )
    correlation = residual.corr().to_numpy(copy=True)
    items = questions.loc[points.columns, "item_reference"].to_numpy()
    same = items[:, None] == items
    np.fill_diagonal(correlation, np.nan)
    assert np.nanmean(correlation[same]) > np.nanmean(correlation[~same]) + 0.03


@pytest.mark.slow
def test_times_follow_the_lognormal_model(plain):
    items = plain.truth["items"].set_index("item_reference")
    speed = plain.truth["sessions"]["speed"].to_numpy()
    shown = [[item["time"] for item in record["items"]] for record in read(plain)]
    log_times = np.log(np.array(shown, dtype=float))
    references = plain.truth["forms"]["item_reference"]
    for own, reference in zip(log_times.T, references, strict=True):
        item = items.loc[reference]
        residual = item["alpha"] * (own - (item["beta"] - speed))
        assert residual.mean() == pytest.approx(0.0, abs=4.5 / math.sqrt(len(own)))
        assert residual.std() == pytest.approx(1.0, abs=0.05)
        assert np.corrcoef(residual, speed)[0, 1] == pytest.approx(0.0, abs=0.06)


@pytest.mark.slow
def test_distractors_follow_the_nominal_model(plain):
    options = plain.truth["options"].set_index("question_reference")
    questions = plain.truth["questions"].set_index("question_reference")
    references = questions.index[questions["kind"] == "mcq"]
    ability = plain.truth["sessions"]["ability"].to_numpy()
    records = read(plain)
    at = {one["question_reference"]: k for k, one in enumerate(records[0]["responses"])}
    for reference in references:
        own = options.loc[reference]
        assert own["option"][own["correct"]].tolist() == [questions.loc[reference, "key"]]
        taken = np.array(
            [record["responses"][at[reference]]["response"]["value"][0] for record in records]
        )
        wrong = own[~own["correct"]]
        shift = np.where(plain.session_metadata["group"] == "B", 1.0, 0.0)
        level = ability - shift * questions.loc[reference, "dif"]
        logits = wrong["attractiveness"].to_numpy() + level[:, None] * wrong["slope"].to_numpy()
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        missed = taken != questions.loc[reference, "key"]
        picked = taken[missed, None] == wrong["option"].to_numpy()
        off = (picked - expected[missed]).sum(axis=0)
        spread = np.sqrt((expected * (1 - expected))[missed].sum(axis=0))
        assert (np.abs(off) < 4.5 * spread).all()


@pytest.mark.slow
def test_rapid_guesses_are_fast_and_at_chance():
    simulation = simulate(
        4000, 30, seed=5, **(NOTHING_SPECIAL | {"rapid_guessers": 1.0, "essays": 0.1})
    )
    answers = simulation.answers
    times = [item["time"] for record in read(simulation) for item in record["items"]]
    assert len(times) == len(answers)  # one question an item
    answers["time"] = times
    rapid = answers[answers["rapid"]]
    assert rapid["time"].between(1, 3).all()
    assert (answers.loc[~answers["rapid"], "time"] <= 3).mean() < 0.01
    first = rapid.groupby("session_id")["position"].min()
    sessions = simulation.truth["sessions"].set_index("session_id")
    assert sessions["rapid_from"].to_dict() == first.to_dict()
    # From there on it is rapid guesses to the end.
    assert (rapid.groupby("session_id").size() == 31 - first).all()
    questions = simulation.truth["questions"].set_index("question_reference")
    for reference, own in rapid.groupby("question_reference", observed=True):
        question = questions.loc[reference]
        share = own["points"] / question["max_score"]
        spread = 0.5 / math.sqrt(len(own))
        assert share.mean() == pytest.approx(question["chance"], abs=4.5 * spread)


def test_open_questions_cannot_be_guessed(default):
    questions = default.truth["questions"].set_index("kind")
    assert (questions.loc[["shorttext", "formulaV2", "longtextV2"], "chance"] == 0).all()
    assert (questions.loc["mcq", "chance"] == 0.25).all()
    assert np.allclose(questions.loc["mcq", "c"], 0.2)
    assert questions.loc[["shorttext", "formulaV2", "longtextV2"], "key"].isna().any()


def test_omissions_are_likelier_with_less_ability():
    simulation = simulate(3000, 20, **(NOTHING_SPECIAL | {"omit": 0.1, "dif": 0.0}))
    sessions = simulation.truth["sessions"]
    omitted = sessions["n_omitted"] / 20
    assert omitted.mean() == pytest.approx(0.1, abs=0.04)
    assert omitted.corr(sessions["ability"]) < -0.2


def test_what_is_not_reached_comes_last_and_has_no_time():
    simulation = simulate(1500, 30, **(NOTHING_SPECIAL | {"not_reached": 0.4}))
    sessions = simulation.truth["sessions"]
    ran_out = (sessions["n_not_reached"] + sessions["n_cut_off"]) > 0
    assert ran_out.mean() == pytest.approx(0.4, abs=0.03)
    assert (sessions.loc[ran_out, "active"] == simulation.time_limit).all()
    assert sessions.loc[ran_out, "speed"].mean() < sessions["speed"].mean() - 0.1
    answers = simulation.answers
    last_seen = answers[answers["outcome"] != "not reached"].groupby("session_id")["position"].max()
    reached = answers.merge(last_seen.rename("last_seen").reset_index())
    assert (
        (reached["position"] > reached["last_seen"]) == (reached["outcome"] == "not reached")
    ).all()
    cut = reached[reached["outcome"] == "cut off"]
    assert (cut["position"] == cut["last_seen"]).all()


def test_attempts_gain_by_practice():
    simulation = simulate(300, 5, **(NOTHING_SPECIAL | {"attempts": 0.6}))
    sessions = simulation.truth["sessions"].merge(
        simulation.truth["persons"][["user_id", "ability"]], on="user_id", suffixes=("", "_first")
    )
    gain = sessions["ability"] - sessions["ability_first"]
    assert np.allclose(gain, 0.2 * (sessions["attempt"] - 1))
    ordered = sessions.sort_values(["user_id", "attempt"])
    assert ordered.groupby("user_id")["dt_started"].is_monotonic_increasing.all()


# Options --------------------------------------------------------------------------------------


def small(**options):
    return simulate(60, 20, seed=3, **(NOTHING_SPECIAL | options))


def small_items(simulation):
    """Items that are not essays."""
    items = simulation.truth["items"]
    return items[items["question_type"] != "longtextV2"]


@pytest.mark.parametrize(
    ("option", "measure"),
    [
        ("rapid_guessers", lambda s: s.truth["persons"]["rapid_guesser"].mean()),
        ("pauses", lambda s: (s.truth["sessions"]["paused"] > 0).mean()),
        ("omit", lambda s: (s.answers["outcome"] == "omitted").mean()),
        ("not_reached", lambda s: (s.truth["sessions"]["n_cut_off"] > 0).mean()),
        ("incomplete", lambda s: (s.truth["sessions"]["status"] == "Incomplete").mean()),
        ("discarded", lambda s: (s.truth["sessions"]["status"] == "Discarded").mean()),
        ("pending", lambda s: (s.truth["sessions"]["status"] == "Pending Scoring").mean()),
        ("attempts", lambda s: s.truth["persons"]["attempts"].mean() / 2 - 0.5),
        ("testlets", lambda s: (small_items(s)["n_questions"] > 1).mean()),
        ("essays", lambda s: (s.truth["items"]["question_type"] == "longtextV2").mean()),
        ("dif_items", lambda s: (s.truth["items"]["dif"] != 0).mean()),
    ],
)  # fmt: skip
def test_shares_of_none_and_all(option, measure):
    assert measure(small(**{option: 0.0})) == 0.0
    assert measure(small(**{option: 1.0})) == 1.0


def test_paused_sessions_take_longer_than_they_are_active():
    for record in read(small(pauses=1.0)):
        elapsed = unix(record["dt_completed"]) - unix(record["dt_started"])
        active = sum(item["time"] for item in record["items"])
        assert elapsed - active > 120
        assert "dt_saved" in record
    assert not any("dt_saved" in record for record in read(small()))


def test_marks_come_after_the_submission():
    for record in read(small(essays=0.3)):
        for response in record["responses"]:
            late = unix(response["dt_score_updated"]) - unix(record["dt_completed"])
            by_hand = response["question_type"] == "longtextV2" and response["attempted"]
            assert late > 3600 if by_hand else 0 < late < 60


def test_essays_have_words():
    longer = {}
    for record in read(small(essays=1.0)):
        for response in record["responses"]:
            text, count = response["response"]["value"], response["response"]["wordCount"]
            assert text.startswith("<p>")
            assert 0 < count <= len(text.split()) + text.count("<p>")
            longer.setdefault(response["score"], []).append(count)
    assert np.mean(longer[4]) > np.mean(longer[2]) > np.mean(longer[0])


def test_without_guessing_it_is_a_two_parameter_model():
    assert (small(guessing=0.0).truth["questions"]["c"] == 0).all()
    questions = small(guessing=1.0, question_types={"mcq": 1.0}, essays=0.0).truth["questions"]
    assert (questions["c"] == questions["chance"]).all()


def test_dif_is_of_the_stated_size_and_balanced():
    items = simulate(30, 40, dif=0.9, dif_items=0.25).truth["items"]
    assert sorted(items["dif"].unique()) == [-0.9, 0.0, 0.9]
    assert items["dif"].value_counts().to_dict() == {0.0: 30, 0.9: 5, -0.9: 5}
    one_group = simulate(30, 40, groups={"all": 2.0}).truth
    assert (one_group["items"]["dif"] == 0).all()
    assert set(one_group["persons"]["group"]) == {"all"}


@pytest.mark.parametrize("kind", [kind for kind in QUESTION_TYPES if kind != "longtextV2"])
def test_question_types_can_be_chosen(kind):
    simulation = simulate(20, 6, question_types={"mcq": 0.0, "orderlist": 0.0, kind: 2}, essays=0.0)
    assert set(simulation.truth["questions"]["kind"]) == {kind}


def test_shares_of_question_types_are_kept():
    items = simulate(
        5, 100, question_types={"mcq": 0.5, "orderlist": 0.3, "shorttext": 0.2}, testlets=0.0,
        essays=0.2,
    ).truth["items"]  # fmt: skip
    assert items["question_type"].value_counts().to_dict() == {
        "mcq": 40, "orderlist": 24, "longtextV2": 20, "shorttext": 16,
    }  # fmt: skip


def test_forms_share_their_anchors():
    simulation = simulate(200, 41, forms=3, anchors=0.2, attempts=0.5)
    forms, items = simulation.truth["forms"], simulation.truth["items"]
    shown = forms.groupby("form")["item_reference"].apply(list)
    anchors = set(items["item_reference"][items["anchor"]])
    assert len(anchors) == 8
    for one, other in itertools.combinations(shown, 2):
        assert set(one) & set(other) == anchors
    assert set().union(*shown) == set(items["item_reference"])
    template = forms.groupby("form")["activity_template_id"].first()
    assert template.nunique() == 3
    sessions = simulation.truth["sessions"]
    for record, form in zip(read(simulation), sessions["form"], strict=True):
        assert [item["reference"] for item in record["items"]] == shown[form]
        assert record["metadata"]["activity_template_id"] == template[form]
    first = sessions.query("attempt == 1")["form"].value_counts()
    assert first.max() - first.min() <= 1
    assert not sessions.duplicated(["user_id", "form"]).any()
    assert len(simulation.answers) == sum(len(record["responses"]) for record in read(simulation))


def test_the_time_limit_can_be_given():
    simulation = simulate(50, 20, time_limit=300, not_reached=0.0)
    assert simulation.time_limit == 300
    assert simulation.truth["sessions"]["active"].max() == 300
    assert simulate(30, 1, not_reached=0.0).truth["sessions"]["n_cut_off"].sum() == 0


def test_sessions_start_when_they_are_asked_to():
    sessions = simulate(200, 3, start="2025-01-06", days=2, attempts=0.0).truth["sessions"]
    started = sessions["dt_started"]
    assert started.min() >= pd.Timestamp("2025-01-06", tz="UTC")
    assert started.max() <= pd.Timestamp("2025-01-07T08:00", tz="UTC")
    assert (started.dt.hour <= 8).all()
    with_zone = simulate(5, 2, start=pd.Timestamp("2025-01-06T01:00", tz="Europe/Berlin"))
    assert with_zone.truth["sessions"]["dt_started"].min() >= started.min().normalize()


def test_names_are_kept_as_they_are():
    name = 'caf\u00e9 "7b" \\ \u0001\U0001f600'
    simulation = simulate(5, 4, activity=name, groups={'"\n': 0.0})
    assert {record["activity_id"] for record in read(simulation)} == {name}
    assert set(simulation.session_metadata["group"]) == {'"\n'}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learners": 0}, "learners is 0: expects an integer from 1 to"),
        ({"learners": 10.0}, "learners is 10.0"),
        ({"learners": True}, "learners is True"),
        ({"items": 0}, "items is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"forms": 0}, "forms is 0"),
        ({"days": 0}, "days is 0"),
        ({"activity": " "}, "activity is ' '"),
        ({"omit": 1.2}, "omit is 1.2: expects a number from 0 to 1"),
        ({"omit": float("nan")}, "omit is nan"),
        ({"pending": "all"}, "pending is 'all'"),
        ({"rapid_guessers": True}, "rapid_guessers is True"),
        ({"dif": 9}, "dif is 9: expects a number from -3 to 3"),
        ({"speed_sd": -0.1}, "speed_sd is -0.1"),
        ({"speed_correlation": 1.5}, "speed_correlation is 1.5"),
        ({"time_limit": 0}, "time_limit is 0"),
        ({"start": "soon"}, "start is 'soon'"),
        ({"start": 20250106}, "start is 20250106"),
        ({"start": "1850-01-01"}, "start is '1850-01-01'"),
        ({"groups": {}}, "groups is {}"),
        ({"groups": ["A"]}, "groups is"),
        ({"groups": {"A": "high"}}, r"groups\['A'\] is 'high'"),
        ({"groups": {"A": 2.0, "B": -2.0}}, "bring them closer together"),
        ({"question_types": {"mqc": 1}}, "did you mean 'mcq'"),
        ({"question_types": {"longtextV2": 1}}, "essays="),
        ({"question_types": {"mcq": 0}}, "at least one share must be above 0"),
        ({"incomplete": 0.7, "discarded": 0.7}, "add up to at most 1"),
        ({"items": 8, "forms": 7}, "forms is 7, but only 6 of the 8 items are not anchors"),
    ],
)  # fmt: skip
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        simulate(**options)


# Parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", QUESTION_TYPES)
@pytest.mark.parametrize("seed", range(5))
def test_catalogues(kind, seed):
    catalogue = QUESTION_TYPES[kind].draw_catalogue(np.random.default_rng(seed))
    values = [json.loads(value) for value in catalogue.values]
    assert len(catalogue) == len(values) == len(catalogue.points) == len(catalogue.chance)
    # Whatever the points, there is an answer that earns them.
    assert sorted(set(catalogue.points.tolist())) == list(range(catalogue.max_score + 1))
    assert catalogue.chance.sum() == pytest.approx(1.0)
    assert (catalogue.weight > 0).all()
    assert 0 <= catalogue.chance_full <= catalogue.chance_share < 1
    if kind != "longtextV2":
        assert len(set(catalogue.values)) == len(catalogue)
        key = catalogue.values.index(catalogue.key)
        assert catalogue.points[key] == catalogue.max_score
        assert (catalogue.points == catalogue.max_score).sum() == 1
    assert bool(catalogue.options) == QUESTION_TYPES[kind].closed
    if kind in ("mcq", "clozedropdown", "choicematrix", "association", "orderlist"):
        correct = [option.value for option in catalogue.options if option.correct]
        assert correct == [str(one) for one in json.loads(catalogue.key)]


def test_item_scoring_by_hand():
    rng = np.random.default_rng(0)
    questions = tuple(
        SimulatedQuestion(
            "q", kind, QUESTION_TYPES[kind].draw_catalogue(rng), 1.0, np.zeros(1), 0.0
        )
        for kind in ("mcq_multiple", "mcq", "mcq")
    )
    points = np.array([[2, 1, 1], [1, 1, 1], [2, 0, 1], [0, 0, 0]])
    expected = {
        "per-question": ([4, 3, 3, 0], 4),
        "dichotomous": ([1, 0, 0, 0], 1),
        "dependent": ([4, 1, 2, 0], 4),
    }
    for scoring_type, (scores, highest) in expected.items():
        item = SimulatedItem("item", questions, scoring_type, 2.0, 4.0, 0.0, "Data")
        assert item.score(points).tolist() == scores
        assert item.max_score == highest
