"""Methods that forward to one pure function, with its documentation and its signature.

The accessor and the analysis offer measures as methods. Each forwards here, in one place: the
method gives the function its data, and takes over everything else that the function documents.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["documented"]

_Method = TypeVar("_Method", bound=Callable[..., object])

_SECTION = re.compile(r"^(\w[\w ]*)\n-+\n", flags=re.M)


def documented(
    method: _Method,
    function: Callable[..., object],
    *,
    given: Iterable[str],
    example: Iterable[str] = (),
) -> _Method:
    """Give a method the documentation and the signature of the function that it forwards to.

    Parameters
    ----------
    method : callable
        Takes the object that it belongs to, then the function's other parameters.
    function : callable
        The pure function.
    given : iterable of str
        The function's parameters that the method fills in.
    example : iterable of str
        Lines that replace the function's own example.

    Returns
    -------
    callable
        The method itself.
    """
    hidden = set(given)
    signature = inspect.signature(function)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    rest = [parameter for name, parameter in signature.parameters.items() if name not in hidden]
    method.__signature__ = signature.replace(parameters=[own, *rest])  # type: ignore[attr-defined]
    method.__name__ = function.__name__
    method.__doc__ = _documentation(inspect.getdoc(function) or "", hidden, list(example))
    return method


def _documentation(text: str, hidden: set[str], example: list[str]) -> str:
    """The function's documentation without the hidden parameters, with another example."""
    head, *parts = _SECTION.split(text)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    if "Parameters" in sections:
        entries = re.split(r"\n(?=\S)", sections["Parameters"].strip("\n"))
        kept = [entry for entry in (_without(entry, hidden) for entry in entries) if entry]
        sections["Parameters"] = "\n".join(kept)
        if not kept:
            del sections["Parameters"]
    if example:
        sections["Examples"] = "\n".join(example)
    shown = [f"{name}\n{'-' * len(name)}\n{body.strip(chr(10))}" for name, body in sections.items()]
    return "\n\n".join([head.strip(), *shown]) + "\n"


def _without(entry: str, hidden: set[str]) -> str:
    """An entry of the list of parameters without the hidden names; empty where none is left."""
    line, _, description = entry.partition("\n")
    names, colon, kind = line.partition(" : ")
    kept = [name for name in names.split(", ") if name not in hidden]
    if not kept:
        return ""
    return f"{', '.join(kept)}{colon}{kind}" + (f"\n{description}" if description else "")
