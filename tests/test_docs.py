"""Every example in a docstring runs, and the README's too."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import lrnanalysis as lrn

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(lrn.__path__, "lrnanalysis.")
    if not module.name.endswith(("__main__", ".example"))
)


@pytest.fixture(scope="module")
def study():
    return lrn.load_example()


@pytest.fixture(scope="module")
def analysis(study):
    return study.analysis()


# One learner of the bundled study stopped early, and it is said.
@pytest.mark.filterwarnings("ignore:1 of 280 persons have fewer than 10 timed answers")
@pytest.mark.parametrize("name", ["lrnanalysis", *MODULES])
def test_examples_run(name, study, analysis):
    module = importlib.import_module(name)
    known = {"pd": pd, "np": np, "lrn": lrn, "study": study, "analysis": analysis}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    said: list[str] = []
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        test.globs = known | test.globs
        runner.run(test, out=said.append)
        pyplot.close("all")
    assert runner.failures == 0, "".join(said)


def test_the_readme_shows_its_real_output(capsys):
    text = (ROOT / "README.md").read_text()
    code, output = re.search(
        r"```python\n(import lrnanalysis.*?)```\n\n```\n(.*?)```", text, re.S
    ).groups()
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == output
