"""What the accessors of the three tables share: forwarding, help, errors that name the way."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Concatenate, NoReturn, ParamSpec, TypeVar

import pandas as pd

from lrnanalysis.forwarding import documented

__all__ = ["TableAccessor", "on_table"]

P = ParamSpec("P")
R = TypeVar("R")


class TableAccessor:
    """`.lrn` on one of the three tables; its subclasses hold the measures.

    Parameters
    ----------
    frame : DataFrame
        The table.
    """

    #: Name of the table → its accessor.
    tables: ClassVar[dict[str, type[TableAccessor]]] = {}
    _table: ClassVar[str] = ""

    def __init_subclass__(cls, *, table: str) -> None:
        cls._table = table
        TableAccessor.tables[table] = cls

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @classmethod
    def _measures(cls) -> dict[str, str]:
        """Name of each measure → what it gives, in one line."""
        return {
            name: (inspect.getdoc(method) or "").partition("\n")[0]
            for name, method in vars(cls).items()
            if callable(method) and not name.startswith("_")
        }

    def _unknown(self, name: str) -> NoReturn:
        for table, accessor in TableAccessor.tables.items():
            if name in accessor._measures():
                raise AttributeError(
                    f"{name!r} is a measure of {table}, and this is a table of {self._table}: use "
                    f"study.{table}.lrn.{name}()"
                )
        raise AttributeError(
            f"{name!r} is not a measure of one table ({self._table}.lrn offers "
            f"{', '.join(self._measures())}); measures of several tables are methods of an "
            "analysis: study.analysis()"
        )

    if not TYPE_CHECKING:
        # Hidden from type checkers, to which an unknown name has to stay an error.
        __getattr__ = _unknown

    def __dir__(self) -> list[str]:
        return list(self._measures())

    def __repr__(self) -> str:
        measures = self._measures()
        width = max(map(len, measures))
        lines = [f"  {name:<{width}}  {what}" for name, what in measures.items()]
        return "\n".join([f".lrn on {self._table}, {len(self._frame):,} rows:", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align:left"><code>{html.escape(name)}</code></td>'
            f'<td style="text-align:left">{html.escape(what)}</td></tr>'
            for name, what in self._measures().items()
        )
        return (
            f"<table><caption>.lrn on {self._table}, {len(self._frame):,} rows</caption>"
            f"<tbody>{rows}</tbody></table>"
        )


def on_table(
    function: Callable[Concatenate[pd.DataFrame, P], R], *example: str
) -> Callable[Concatenate[TableAccessor, P], R]:
    """Make a method of a function whose first argument is the table."""

    def method(self: TableAccessor, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(self._frame, *args, **kwargs)

    first = next(iter(inspect.signature(function).parameters))
    return documented(method, function, given=[first], example=example)
