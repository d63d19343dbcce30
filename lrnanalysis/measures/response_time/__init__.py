"""Response times: the lognormal model of speed.

`fitting`: the model from a matrix of times. `model`: what can be asked of it. `estimation` and
`information`: its maximum and standard errors. `log_times`: the data and the E-step over them.
"""

from lrnanalysis.measures.response_time.fitting import lognormal
from lrnanalysis.measures.response_time.model import LognormalModel, screening_correlation

__all__ = ["LognormalModel", "lognormal", "screening_correlation"]
