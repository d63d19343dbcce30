"""Speed: the lognormal response-time model.

`fitting`: the model from a matrix of times. `model`: what can be asked of it. `estimation` and
`information`: its maximum and its standard errors. `logtimes`: the data in the cheapest form.
"""

from lrnanalysis.measures.response_time.fitting import lognormal
from lrnanalysis.measures.response_time.model import LognormalModel, screening_correlation

__all__ = ["LognormalModel", "lognormal", "screening_correlation"]
