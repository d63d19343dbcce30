"""What is pasted into a form, and the code that it shows: read and written without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lrnanalysis as lrn
from lrnanalysis import Query, QueryError
from lrnanalysis.forms.code import fetch_code, literal, selection_code
from lrnanalysis.forms.texts import (
    count_text,
    join_ids,
    period_text,
    read_ids,
    read_moment,
    read_whole_number,
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
    assert read_ids(pasted) == ids


@pytest.mark.parametrize("pasted", ['"open', 'a "open b', '"closed"too late'])
def test_a_quote_that_is_not_closed_is_said_and_nothing_is_guessed(pasted):
    with pytest.raises(QueryError, match="double quote"):
        read_ids(pasted)


@given(st.lists(IDS))
def test_ids_written_are_read_again(ids):
    assert read_ids(join_ids(ids)) == tuple(ids)


@given(st.text())
def test_whatever_is_pasted_is_ids_or_refused(pasted):
    try:
        found = read_ids(pasted)
    except QueryError:
        return
    outside = pasted.replace('"', "")
    assert all(one.replace('"', "") in outside for one in found)


def test_the_count_is_of_different_ids():
    assert count_text(("a",), "session") == "1 session"
    assert count_text(("a", "b", "a"), "activity") == "2 activities, 1 repeated"
    many = tuple(map(str, range(2400)))
    assert count_text(many, "user") == "2,400 users, asked for in 3 parts"


def test_a_day_is_its_first_or_its_last_second():
    assert read_moment("2026-01-31", latest=False) == "2026-01-31T00:00:00Z"
    assert read_moment(" 2026-01-31 ", latest=True) == "2026-01-31T23:59:59Z"
    assert read_moment("2026-01-31T08:30+01:00", latest=True) == "2026-01-31T07:30:00Z"
    assert read_moment("1769816730", latest=False) == "2026-01-30T23:45:30Z"
    assert read_moment(" ", latest=False) is None


@pytest.mark.parametrize("text", ["31.1.2026", "2026-02-30", "yesterday", "2026-01-31T25:00", "12"])
def test_what_is_no_time_is_refused_with_the_way_to_write_one(text):
    with pytest.raises(QueryError, match=r"2026|1970|ISO"):
        read_moment(text, latest=False)


def test_a_period_is_said_and_one_without_time_in_it_refused():
    assert period_text(None, None) == "any time"
    assert period_text("2026-01-31T00:00:00Z", None) == "from Sat 31 Jan 2026, 00:00:00 UTC"
    with pytest.raises(QueryError, match="lies after"):
        period_text("2026-01-31T00:00:00Z", "2026-01-30T00:00:00Z")


def test_numbers_have_a_range():
    assert read_whole_number(" 1,200 ", highest=None) == 1200
    assert read_whole_number("", highest=50) is None
    for text in ("80", "0", "-1"):
        with pytest.raises(QueryError, match="out of range: write 1 to 50"):
            read_whole_number(text, highest=50)
    with pytest.raises(QueryError, match=r"'2\.5' is no whole number"):
        read_whole_number("2.5", highest=50)


@given(st.lists(IDS, max_size=60), st.integers(0, 40))
def test_a_literal_is_the_value_it_came_from(ids, indent):
    assert eval(literal(ids, indent)) == ids


class Recorder:
    """Stands where `lrnanalysis` stands in a form's code, and writes down what is called."""

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
        self.query, self.asked, self.most = Query(**filters), client, max_sessions
        return "study"


@given(queries(), st.sampled_from([None, "embedded", "client"]), st.none() | st.integers(1, 9999))
def test_the_code_asks_exactly_what_the_form_asks(query, client, most):
    recorder = Recorder()
    code = fetch_code(query, client, most)
    compile(code, "form", "exec")
    names = {"lrn": recorder, "client": "my client"}
    exec(code.replace("import lrnanalysis as lrn\n", "", 1), names)
    assert recorder.query == query
    assert recorder.most == most
    expected = {None: None, "embedded": "embedded client", "client": "my client"}
    assert recorder.asked == expected[client]
    assert names["study"] == "study"


def test_short_code_stands_on_one_line_and_long_code_is_wrapped():
    assert fetch_code(Query(activity_id="a"), None).count("\n") == 2
    long = fetch_code(Query(user_id=[f"learner-{n:04}" for n in range(300)]), "embedded")
    assert max(map(len, long.splitlines())) <= 100
    assert "client=api.client()," in long


def test_selection_code_imports_what_it_needs():
    assert selection_code({}) == "selection = study[:]"
    code = selection_code(
        {"late": 'sessions["dt_started"] >= pd.Timestamp("2026-01-01T00:00:00Z")'}
    )
    names = {"study": lrn.load_example()}
    exec(code, names)
    assert len(names["selection"]) == 324
