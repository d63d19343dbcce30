"""Item response models: fit, abilities, information, fit statistics.

`fitting`: a model from a matrix of scores. `model`: what can be asked of it. The folders, from the
ground up: `data` (score digits and forms), `response_models` (one class per family of curves),
`likelihood` (ability integrated out), `estimation` (constraints and the search for the maximum),
`results` (the estimates, and what is computed from them).
"""

from lrnanalysis.measures.irt.fitting import fit
from lrnanalysis.measures.irt.model import IRTModel, load
from lrnanalysis.measures.irt.results.estimates import Convergence

__all__ = ["Convergence", "IRTModel", "fit", "load"]
