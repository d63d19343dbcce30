"""Linking: item parameters of separate calibrations on one ability scale.

Two calibrations of the same items differ by the origin and unit of their scales:
θ_base = A θ_new + B, so that a / A and A b + B put an item of the new calibration on the base's
scale. Fixed anchors need no such change: common items keep their parameters in the new
calibration. Kolen & Brennan (2014), Test equating, scaling, and linking, ch. 6.
"""

from lrnanalysis.measures.linking._anchors import fixed_anchors
from lrnanalysis.measures.linking._link import Link, link

__all__ = ["Link", "fixed_anchors", "link"]
