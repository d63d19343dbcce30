"""The response models by name. A new one is a class in a file of its own, and a line here."""

from __future__ import annotations

from lrnanalysis.errors import MeasureError, shown
from lrnanalysis.measures.irt.response_models.asymptotes import Asymptotes
from lrnanalysis.measures.irt.response_models.graded import Graded
from lrnanalysis.measures.irt.response_models.nominal import Nominal
from lrnanalysis.measures.irt.response_models.response_model import ResponseModel

__all__ = ["MODELS", "registered_name", "response_model"]

#: Family by the name of the model that users type.
MODELS: dict[str, type[ResponseModel]] = {
    "Rasch": Nominal,
    "1PL": Nominal,
    "2PL": Nominal,
    "3PL": Asymptotes,
    "4PL": Asymptotes,
    "PCM": Nominal,
    "RSM": Nominal,
    "GPCM": Nominal,
    "GRM": Graded,
    "NRM": Nominal,
}


def registered_name(given: object) -> str:
    """The name of a model as it is registered, however its letters are written.

    Raises
    ------
    MeasureError
        If no model has the name.

    Examples
    --------
    >>> registered_name("rasch"), registered_name("Gpcm")
    ('Rasch', 'GPCM')
    """
    for name in MODELS:
        if str(given).casefold() == name.casefold():
            return name
    raise MeasureError(f"model is {shown(given)}: it must be one of {', '.join(MODELS)}")


def response_model(name: str, steps: int) -> ResponseModel:
    """The model of an item with the scores 0 … `steps`.

    Examples
    --------
    >>> response_model("GRM", 2).parameters
    ('a', 'd1', 'd2')
    >>> response_model("GRM", 1).parameters
    ('a', 'd')
    """
    family = MODELS[name]
    # With two scores the graded model is the 2PL, whose likelihood is faster.
    return Nominal(name, steps) if family is Graded and steps == 1 else family(name, steps)
