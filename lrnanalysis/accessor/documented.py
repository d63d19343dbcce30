"""A method takes the documentation of the function that it forwards to."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TypeVar

__all__ = ["documented"]

_Method = TypeVar("_Method", bound=Callable[..., object])


def documented(function: Callable[..., object], *example: str) -> Callable[[_Method], _Method]:
    """Give a method its function's documentation: without the frame, with an example of its own."""

    def document(method: _Method) -> _Method:
        text = inspect.cleandoc(function.__doc__ or "").split("\nExamples\n--------")[0]
        # The first parameter is the frame, which a method has already; it may stand in a list.
        text, listed = re.subn(r"(Parameters\n-{10}\n)\w+, ", r"\1", text, count=1)
        if not listed:
            text = re.sub(r"(Parameters\n-{10}\n)\S.*\n((?: .*)?\n)*?(?=\S)", r"\1", text, count=1)
        text = text.replace("Parameters\n----------\nReturns\n", "Returns\n")
        method.__doc__ = "\n".join([text.rstrip(), "", "Examples", "--------", *example, ""])
        return method

    return document
