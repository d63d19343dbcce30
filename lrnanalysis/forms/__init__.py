"""Forms for a notebook: fetch sessions, and analyse a study.

Plain ipywidgets. Each form shows the equivalent Python code, so that a notebook can do without it.
There is no field for a secret, and none is saved.
"""

from lrnanalysis.forms.explore_form import ExploreForm
from lrnanalysis.forms.fetch_form import FetchForm

__all__ = ["ExploreForm", "FetchForm"]
