"""Differential item functioning: items on which groups of equal ability differ.

`mantel`: Mantel and Haenszel's test with ETS's classes, Mantel's for partial credit. `standard`:
standardised differences. `logistic`: logistic regression, uniform and not, ordinal for partial
credit. `ratio`: likelihood ratios of item response models.
"""

from lrnanalysis.measures.dif.likelihood_ratio import likelihood_ratio
from lrnanalysis.measures.dif.logistic import logistic
from lrnanalysis.measures.dif.mantel import mantel_haenszel
from lrnanalysis.measures.dif.standardisation import standardisation

__all__ = ["likelihood_ratio", "logistic", "mantel_haenszel", "standardisation"]
