"""Input of the forms and the code that they show: parsed and written without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lrnanalysis as lrn
from lrnanalysis import Query, QueryError
from lrnanalysis.forms.code_generation import analysis_code, fetch_code, literal
from lrnanalysis.forms.input_parsing import (
    describe_ids,
    describe_period,
    format_ids,
    parse_ids,
    parse_integer,
    parse_period,
)
from query_strategies import IDS, queries


@pytest.mark.parametrize(
    ("pasted", "ids"),
    [
        ("", ()),
        (" \n ,, \t", ()),
        ("a", ("a",)),
        ("a,b c\nd\te , f,\n", ("a", "b", "c", "d", "e", "f")),
        ("a\r\nb\r\n", ("a", "b")),
        ('"Unit 4, part b" x', ("Unit 4, part b", "x")),
        ('"say ""x"""', ('say "x"',)),
        ('a"b', ('a"b',)),
        ("maths/unit-4;1", ("maths/unit-4;1",)),
    ],
)
def test_a_pasted_list_is_split(pasted, ids):
    assert parse_ids(pasted) == ids


@pytest.mark.parametrize("pasted", ['"open', 'a "open b', '"closed"too late'])
def test_an_unclosed_quote_is_refused(pasted):
    with pytest.raises(QueryError, match=r"double quote before ID \d is not closed"):
        parse_ids(pasted)


@given(st.lists(IDS))
def test_formatted_ids_are_parsed_again(ids):
    assert parse_ids(format_ids(ids)) == tuple(ids)


@given(st.text())
def test_any_text_is_parsed_or_refused(pasted):
    try:
        found = parse_ids(pasted)
    except QueryError:
        return
    outside = pasted.replace('"', "")
    assert all(one.replace('"', "") in outside for one in found)


def test_distinct_ids_are_counted():
    assert describe_ids(("a",), "session") == "1 session"
    assert describe_ids(("a", "b", "a"), "activity") == "2 activities, 1 repeated"
    many = tuple(map(str, range(2400)))
    assert describe_ids(many, "user") == "2,400 users, split into 3 requests"


def test_a_date_is_its_first_or_its_last_second():
    assert parse_period("2026-01-31", " 2026-01-31 ") == (
        "2026-01-31T00:00:00Z",
        "2026-01-31T23:59:59Z",
    )
    assert parse_period("1769816730", "2026-01-31T08:30+01:00") == (
        "2026-01-30T23:45:30Z",
        "2026-01-31T07:30:00Z",
    )
    assert parse_period(" ", "") == (None, None)


@pytest.mark.parametrize("text", ["31.1.2026", "2026-02-30", "yesterday", "2026-01-31T25:00", "12"])
def test_an_invalid_time_is_refused_with_the_way_to_write_one(text):
    for ends in ((text, ""), ("", text)):
        with pytest.raises(QueryError, match=r"2026|1970|ISO"):
            parse_period(*ends)


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(QueryError, match="is after 2026-01-30T23:59:59Z"):
        parse_period("2026-01-31", "2026-01-30")


def test_a_period_is_described():
    assert describe_period(None, None) == "any time"
    assert describe_period("2026-01-31T00:00:00Z", None) == "from Sat 31 Jan 2026, 00:00:00 UTC"


def test_numbers_have_a_range():
    assert parse_integer(" 1,200 ", highest=None) == 1200
    assert parse_integer("", highest=50) is None
    for text in ("80", "0", "-1"):
        with pytest.raises(QueryError, match="out of range: enter 1 to 50"):
            parse_integer(text, highest=50)
    with pytest.raises(QueryError, match=r"'2\.5' is not an integer"):
        parse_integer("2.5", highest=50)


@given(st.lists(IDS, max_size=60), st.integers(0, 40))
def test_a_literal_is_the_value_it_came_from(ids, indent):
    assert eval(literal(ids, indent)) == ids


class Recorder:
    """Replaces `lrnanalysis` in a form's code, and records what is called."""

    sandbox = property(lambda self: self)

    def serve(self, **settings):
        self.settings = settings
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def client(self):
        return "embedded client"

    def Client(self, **settings):  # noqa: N802 - the class's name
        return ("client", settings)

    def fetch(self, *, client=None, max_sessions=None, **filters):
        self.query, self.client_used, self.most = Query(**filters), client, max_sessions
        return "study"


@given(queries(), st.sampled_from([None, "embedded", "client"]), st.none() | st.integers(1, 9999))
def test_the_code_fetches_exactly_what_the_form_fetches(query, client, most):
    recorder = Recorder()
    code = fetch_code(query, client, most)
    compile(code, "form", "exec")
    names = {"lrn": recorder, "client": "my client"}
    exec(code.replace("import lrnanalysis as lrn\n", "", 1), names)
    assert recorder.query == query
    assert recorder.most == most
    expected = {None: None, "embedded": "embedded client", "client": "my client"}
    assert recorder.client_used == expected[client]
    assert names["study"] == "study"


def test_short_code_fits_one_line_and_long_code_is_wrapped():
    assert fetch_code(Query(activity_id="a"), None).count("\n") == 2
    long = fetch_code(Query(user_id=[f"learner-{n:04}" for n in range(300)]), "embedded")
    assert max(map(len, long.splitlines())) <= 100
    assert "client=api.client()," in long


def test_analysis_code_has_the_selection_and_the_decisions():
    assert analysis_code({}, {}) == "analysis = study.analysis()"
    code = analysis_code(
        {"late": 'sessions["dt_started"] >= "2026-02-10T00:00:00Z"'}, {"attempts": "last"}
    )
    names = {"study": lrn.load_example()}
    exec(code, names)
    assert names["analysis"].decisions.attempts == "last"
    assert (names["analysis"].sessions["dt_started"] >= "2026-02-10").all()
