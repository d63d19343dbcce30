"""Forms: who was given what, and the totals within each."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lrnanalysis.measures.classical import reliability
from lrnanalysis.measures.forms import form_totals, forms_of


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(0, 12), st.integers(1, 20))))
def test_forms_are_the_different_rows(administered):
    forms = forms_of(administered)
    wanted = {tuple(row) for row in administered.tolist() if any(row)}
    assert {tuple(row) for row in forms.items.tolist()} == wanted
    assert len(forms) == len(wanted)
    assert list(forms.persons) == sorted(forms.persons, reverse=True)
    for person, code in enumerate(forms.codes):
        if code < 0:
            assert not administered[person].any()
        else:
            assert (forms.items[code] == administered[person]).all()
    assert np.array_equal(
        np.bincount(forms.codes[forms.codes >= 0], minlength=len(forms)), forms.persons
    )


def test_a_form_is_summed_up_as_if_it_were_the_only_one():
    rng = np.random.default_rng(7)
    scores = pd.DataFrame(
        (rng.normal(size=(90, 1)) + rng.normal(size=(90, 8)) > 0).astype(float)
    ).rename(columns=str)
    scores["5"] *= 3
    administered = np.ones(scores.shape, dtype=bool)
    administered[:30, :3] = False
    administered[30:70, 6:] = False
    administered[89] = False
    highest = scores.max()
    scores = scores.where(administered)
    scores.iloc[2, 5] = np.nan  # given, and not answered
    forms = forms_of(administered)
    for missing in ("pairwise", "listwise"):
        found = form_totals(scores, highest, forms, missing=missing)
        assert found["persons"].tolist() == [40, 30, 19]
        assert found["items"].tolist() == [6, 5, 8]
        assert found["complete"].tolist() == [40, 29, 19]
        for number, row in enumerate(found.itertuples()):
            own = scores.loc[forms.codes == number, list(row.names)]
            own = own.dropna() if missing == "listwise" else own
            alone = reliability(own, missing=missing)
            assert row.max_score == highest[list(row.names)].sum()
            assert row.mean == pytest.approx(own.mean().sum())
            assert row.sd == pytest.approx(alone["sd"])
            assert row.alpha == pytest.approx(alone["alpha"])


def test_forms_of_one_person_have_no_spread():
    scores = pd.DataFrame(
        {"a": [1.0, np.nan, np.nan], "b": [np.nan, 1.0, np.nan], "c": [1.0, 0, 1]}
    )
    found = form_totals(
        scores, pd.Series(1.0, index=scores.columns), forms_of(scores.notna().to_numpy())
    )
    assert found["persons"].tolist() == [1, 1, 1]
    assert found[["sd", "alpha"]].isna().all(axis=None)
    assert found["mean"].tolist() == [2.0, 1.0, 1.0]
