"""Arguments of public functions, held against the functions' own annotations.

Type checkers hold the package to its annotations; `checked` holds a caller in a notebook to them:
the wrong kind of thing (a study in place of a table, a model in place of a matrix, text in place of
a number) is refused at the door, with what was passed and what to pass. What a value of the right
kind has to satisfy (a range, a column, an item that exists) the functions check themselves.
"""

from __future__ import annotations

import ast
import functools
import inspect
import typing
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union

import numpy as np
import pandas as pd

from lrnanalysis.errors import LrnError, MeasureError, listed, shown
from lrnanalysis.tables.schema import TABLES, table_of

__all__ = ["check_fields", "checked", "checked_with"]

P = ParamSpec("P")
R = TypeVar("R")

#: Parameters that take a matrix → what gives one, as an attribute of an analysis.
_MATRICES = {
    "matrix": "scores",
    "scores": "scores",
    "shares": "scores",
    "times": "times",
    "answered_times": "times",
    "cells": "cells",
}

#: Parameters whose value no message shows.
_SECRETS = {"key"}


@dataclass(frozen=True)
class _Kind:
    """A kind of argument: how a message names it, and whether a value is of it."""

    words: str
    fits: Callable[[Any], bool]
    options: tuple[object, ...] = ()


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function refuse, with a `MeasureError`, what its annotations do not allow.

    Examples
    --------
    >>> @checked
    ... def halves(count: int) -> int:
    ...     return count // 2
    >>> halves("8")
    Traceback (most recent call last):
    lrnanalysis.errors.MeasureError: count is '8': pass an integer
    """
    return checked_with(MeasureError)(function)


def checked_with(error: type[LrnError]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """As `checked`, with another of the package's errors."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        names = list(inspect.signature(function).parameters)

        @functools.wraps(function)
        def checking(*args: P.args, **kwargs: P.kwargs) -> R:
            kinds = _kinds_of_parameters(function)
            for name, value in (*zip(names, args, strict=False), *kwargs.items()):
                known = kinds.get(name)
                if known is not None:
                    _check(name, value, *known, error)
            return function(*args, **kwargs)

        return checking

    return decorate


def check_fields(record: Any) -> None:
    """Hold the fields of a dataclass that users make against their annotations."""
    for name, known in _kinds_of_parameters(type(record).__init__).items():
        _check(name, getattr(record, name), *known, MeasureError)


def _check(
    name: str, value: object, kinds: tuple[_Kind, ...], default: object, error: type[LrnError]
) -> None:
    if value is default:
        return
    if not any(kind.fits(value) for kind in kinds):
        given = f"of type {type(value).__name__}" if name in _SECRETS else shown(value)
        raise error(f"{name} is {given}: {_expected(name, kinds)}{_instead(name, value)}")
    if isinstance(value, np.ndarray) and value.ndim != (2 if name in _MATRICES else 1):
        raise error(f"{name} is {shown(value)}: {_expected(name, kinds)}")
    if isinstance(value, pd.DataFrame) and (name in TABLES or name in _MATRICES):
        table = table_of(value)
        if table is not None and _is_other(value, table, name):
            raise error(f"{name} is the {table} table: {_expected(name, kinds)}{_in_study(name)}")
        if name in _MATRICES:
            _check_matrix(name, value, error)


def _check_matrix(name: str, matrix: pd.DataFrame, error: type[LrnError]) -> None:
    if name == "cells":
        return
    for item, dtype in zip(matrix.columns, matrix.dtypes, strict=True):
        if not isinstance(dtype, pd.CategoricalDtype | pd.StringDtype | pd.DatetimeTZDtype):
            continue
        raise error(
            f"{name} has dtype {dtype} on item {shown(item)}: numbers are needed; convert it with "
            "pandas.to_numeric"
        )


def _is_other(frame: pd.DataFrame, table: str, name: str) -> bool:
    """Whether a frame is another table than wanted, and not both of them merged."""
    if name in _MATRICES:
        return True
    own = {*TABLES[name].names} - {*TABLES[table].names}
    return table != name and not own & {*frame.columns}


def _expected(name: str, kinds: tuple[_Kind, ...]) -> str:
    options = [option for kind in kinds for option in kind.options]
    # That None stands for the default is no help to one who has passed something.
    words = [kind.words for kind in kinds if kind.words not in ("", "None")]
    if options and not words:
        return f"it must be one of {shown(options)}"
    if options:
        words.insert(0, f"one of {listed(options)}")
    if "a DataFrame" in words and name in TABLES:
        words[words.index("a DataFrame")] = f"the {name} table, a DataFrame"
    if "a DataFrame" in words and name in _MATRICES:
        words[words.index("a DataFrame")] = "a DataFrame with persons in rows and items in columns"
    *others, last = dict.fromkeys(words)
    return f"pass {', '.join(others)}{' or ' if others else ''}{last}"


def _instead(name: str, value: object) -> str:
    """Where the right thing is, for one who has passed what holds it."""
    kind = type(value).__name__
    if kind in ("SessionData", "Analysis"):
        return _in_study(name, kind)
    if name == "study":
        return ", such as lrnanalysis.load_example() or the result of lrnanalysis.fetch()"
    if name in _MATRICES and kind == "IRTModel":
        return ", such as the one that the model was fitted to"
    if name == "model" and isinstance(value, pd.DataFrame):
        return ", such as lrnanalysis.irt.fit(matrix)"
    return ""


def _in_study(name: str, kind: str = "") -> str:
    if name in TABLES:
        return f", such as {'analysis' if kind == 'Analysis' else 'study'}.{name}"
    if name in _MATRICES:
        source = "analysis" if kind == "Analysis" else "study.analysis()"
        return f", such as {source}.{_MATRICES[name]}"
    return ""


# Annotations


@functools.cache
def _kinds_of_parameters(
    function: Callable[..., object],
) -> dict[str, tuple[tuple[_Kind, ...], object]]:
    """Parameter → the kinds that it takes, and its default; without those that take anything."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.annotation is parameter.empty or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        if "PersonValues" in str(parameter.annotation):
            continue  # almost anything, and `person_values` says more about it
        kinds = tuple(_kinds_of_text(str(parameter.annotation), function))
        if all(kind.words or kind.options for kind in kinds):
            found[name] = (kinds, parameter.default)
    return found


def _kinds_of_text(annotation: str, function: Callable[..., object]) -> Iterator[_Kind]:
    """Kinds that an annotation names; classes that only type checkers import, by their names."""
    node = ast.parse(annotation, mode="eval").body
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _kinds_of_text(node.value, function)
    elif isinstance(node, ast.BinOp):
        yield from _kinds_of_text(ast.unparse(node.left), function)
        yield from _kinds_of_text(ast.unparse(node.right), function)
    else:
        try:
            yield from _kinds(eval(annotation, function.__globals__))
        except NameError:
            yield _named(annotation)


def _named(name: str) -> _Kind:
    def fits(value: object) -> bool:
        return any(base.__name__ == name for base in type(value).__mro__)

    return _Kind(_with_article(name), fits)


def _kinds(annotation: Any) -> Iterator[_Kind]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any:
        yield _Kind("", lambda value: True)
    elif origin in (Union, UnionType):
        for one in arguments:
            yield from _kinds(None if one is NoneType else one)
    elif origin is Literal:
        yield _Kind("", functools.partial(_is_one_of, options=arguments), arguments)
    elif origin is np.ndarray:
        numbers = typing.get_args(arguments[1]) == (np.float64,)
        fits = functools.partial(_is_array, numbers=numbers)
        yield _Kind("an array of numbers" if numbers else "an array", fits)
    elif origin is tuple and Ellipsis not in arguments:
        yield _tuple_of([tuple(_kinds(one)) for one in arguments])
    elif origin is not None and issubclass(origin, Mapping):
        yield _mapping_to(tuple(_kinds(arguments[1])))
    elif origin is not None and issubclass(origin, Iterable):
        yield _several(tuple(_kinds(arguments[0])), sequence=issubclass(origin, Sequence))
    elif origin is not None and issubclass(origin, PathLike):
        yield _Kind("a path", lambda value: isinstance(value, PathLike))
    elif origin is not None and issubclass(origin, Callable):  # type: ignore[arg-type]
        yield _Kind("a function", callable)
    elif annotation in _PLAIN:
        yield _PLAIN[annotation]
    elif getattr(annotation, "_is_protocol", False):
        yield _with_attributes([name for name in vars(annotation) if not name.startswith("_")])
    elif isinstance(annotation, type):
        yield _Kind(_with_article(annotation.__name__), lambda value: isinstance(value, annotation))
    else:  # a type variable: nothing to hold a value against
        yield _Kind("", lambda value: True)


def _with_attributes(names: list[str]) -> _Kind:
    """A protocol: what has the attributes, as a fitted model has `items`."""

    def fits(value: object) -> bool:
        return not isinstance(value, Mapping) and all(hasattr(value, name) for name in names)

    return _Kind(f"an object with {listed(names)}", fits)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool | np.bool_)


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_one_of(value: object, options: tuple[object, ...]) -> bool:
    return isinstance(value, str | int | bool | NoneType) and value in options


#: Annotation → kind; a bool is no number here, and NumPy's numbers are numbers.
_PLAIN: dict[Any, _Kind] = {
    object: _Kind("", lambda value: True),
    None: _Kind("None", lambda value: value is None),
    bool: _Kind("True or False", _is_flag),
    int: _Kind("an integer", lambda value: isinstance(value, Integral) and not _is_flag(value)),
    float: _Kind("a number", lambda value: isinstance(value, Real) and not _is_flag(value)),
    str: _Kind("a string", lambda value: isinstance(value, str)),
    bytes: _Kind("bytes", lambda value: isinstance(value, bytes)),
    Hashable: _Kind("a label", _is_hashable),
}


def _is_array(value: object, *, numbers: bool) -> bool:
    return isinstance(value, np.ndarray) and (not numbers or value.dtype.kind in "biuf")


def _tuple_of(parts: list[tuple[_Kind, ...]]) -> _Kind:
    def fits(value: object) -> bool:
        return (
            isinstance(value, tuple | list)
            and len(value) == len(parts)
            and all(_any_fits(kinds, one) for kinds, one in zip(parts, value, strict=True))
        )

    return _Kind(f"{len(parts)} values, each {parts[0][0].words}", fits)


def _mapping_to(kinds: tuple[_Kind, ...]) -> _Kind:
    def fits(value: object) -> bool:
        return isinstance(value, Mapping) and all(
            _any_fits(kinds, entry) for entry in value.values()
        )

    return _Kind("a dictionary", fits)


def _several(kinds: tuple[_Kind, ...], *, sequence: bool) -> _Kind:
    """Several values of some kinds: no text, dictionary or frame, which are iterable as well."""
    words = {"a number": "numbers", "a string": "strings", "a label": "labels"}
    of = words.get(kinds[0].words, "") if len(kinds) == 1 else ""

    def fits(value: Any) -> bool:
        if isinstance(value, str | bytes | Mapping | pd.DataFrame):
            return False
        if isinstance(value, np.ndarray | pd.Series | pd.Index):
            if value.ndim != 1:
                return False
            if value.dtype != object:
                return of != "numbers" or value.dtype.kind in "biuf"
        elif sequence and not isinstance(value, Sequence):
            return False
        elif not isinstance(value, Collection):
            return isinstance(value, Iterator)
        return all(_any_fits(kinds, one) for one in value)

    return _Kind(f"a list of {of}" if of else "a list", fits)


def _any_fits(kinds: tuple[_Kind, ...], value: object) -> bool:
    return any(kind.fits(value) for kind in kinds)


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
