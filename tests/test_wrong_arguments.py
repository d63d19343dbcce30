"""Every public function, given the obvious wrong thing, says what was given and what to pass."""

import re

import matplotlib.pyplot as plt
import pytest

import lrnanalysis as lrn
from wrong_arguments import arguments_of, call, public, wrong_things

#: What no message shows: types of NumPy and pandas, addresses.
TECHNICAL = re.compile(r"\bnp\.|Timestamp\(| at 0x|<class|\bdtype=")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", public())
def test_a_wrong_argument_is_refused_in_words(name):
    function, parameters, given = arguments_of(name, public()[name])
    call(function, given)
    faults = []
    for parameter in parameters.values():
        for label, value in wrong_things(name, parameter):
            case = f"{parameter.name}: {label}"
            try:
                result = call(function, {**given, parameter.name: value})
            except lrn.LrnError as error:
                if TECHNICAL.search(str(error)) or len(str(error)) > 700:
                    faults.append(f"{case} is refused with {error}")
            except Exception as error:  # noqa: BLE001 - whatever is not ours is a fault
                faults.append(f"{case} raises {type(error).__name__}: {error}")
            else:
                faults.append(f"{case} is taken, and gives a {type(result).__name__}")
        plt.close("all")
    assert not faults, "\n".join(faults)
