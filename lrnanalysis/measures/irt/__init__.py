"""Item response models: fit, abilities, information, fit statistics.

`fitting`: a model from a matrix of scores. `result`: what can be asked of it. `models`: the ten
models' curves. `sumscore`, `nodal`: the likelihood through one scalar a person, or over the nodes
of a grid. `maximising`: its maximum. `saving`: models in files.
"""

from lrnanalysis.measures.irt.fitting import fit
from lrnanalysis.measures.irt.result import Convergence, IRTModel
from lrnanalysis.measures.irt.saving import load

__all__ = ["Convergence", "IRTModel", "fit", "load"]
