"""Forms for a notebook: fill in a query and run it, look at a study and choose from it.

Plain ipywidgets. A form shows the Python code of what it does, so that a notebook can be run
without it. It has no field for a secret, and saves none.
"""

from lrnanalysis.forms.exploring import ExploreForm
from lrnanalysis.forms.fetching import FetchForm

__all__ = ["ExploreForm", "FetchForm"]
