"""What is seen of a study: its tables and pictures, as HTML with words for who cannot see them."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrnanalysis import plots
from lrnanalysis.study import SessionData

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["VIEWS"]

#: Rows of a table that are shown.
_SHOWN = 8

#: Characters of a value that are shown.
_LONGEST = 20

#: Columns that hold learners' answers, or anything at all.
_NOT_SHOWN = ("value", "extra", "metadata")


def _first_rows(study: SessionData, _: str) -> str:
    """Show the first rows of the three tables, without the learners' answers."""
    parts = []
    for name in ("sessions", "responses", "items"):
        frame: pd.DataFrame = getattr(study, name)
        shown = frame.head(_SHOWN).drop(columns=[c for c in _NOT_SHOWN if c in frame.columns])
        parts.append(_table(f"{name}: {min(_SHOWN, len(frame))} of {len(frame):,} rows", shown))
    return "".join(parts)


def _item_table(study: SessionData, _: str) -> str:
    """Show the item analysis."""
    table = study.item_analysis().table
    digits = {
        str(name): 1 if str(name).startswith("time") else 2
        for name, kind in table.dtypes.items()
        if pd.api.types.is_float_dtype(kind) and name != "max"
    }
    named = table.rename(columns={"time_median": "time_median [s]"}).reset_index()
    return _table(f"{len(table):,} items", named, digits | {"time_median [s]": 1})


def _times(study: SessionData, item: str) -> str:
    return _picture(lambda ax: plots.times(study.items, item, ax=ax), f"Times on {item}")


def _accuracy(study: SessionData, item: str) -> str:
    return _picture(
        lambda ax: plots.accuracy_by_time(study.items, item, ax=ax), f"Accuracy by time on {item}"
    )


def _pacing(study: SessionData, _: str) -> str:
    return _picture(lambda ax: plots.pacing(study.items, ax=ax), "Time used by items done")


def _scores(study: SessionData, _: str) -> str:
    return _picture(
        lambda ax: plots.score_against_time(study.sessions, ax=ax), "Scores against active time"
    )


def _picture(draw: Callable[[Axes], Any], name: str) -> str:
    """Draw outside pyplot, which keeps figures, and give an image with words beside it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    ax = figure.subplots()
    draw(ax)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    words = [name, f"{ax.get_xlabel()} across, {ax.get_ylabel()} upwards"]
    words += [text.get_text() for text in ax.texts]
    alt = html.escape(". ".join(word for word in words if word), quote=True)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{alt}" style="max-width:100%" src="data:image/png;base64,{data}">'


def _table(caption: str, frame: pd.DataFrame, digits: Mapping[str, int] | None = None) -> str:
    """Write a table: numbers to the right, with the decimals asked for."""
    decimals = [(digits or {}).get(str(name)) for name in frame.columns]
    sides = [
        "right" if pd.api.types.is_numeric_dtype(kind) and kind != "boolean" else "left"
        for kind in frame.dtypes
    ]
    head = "".join(
        f'<th scope="col" style="text-align:{side};padding:1px 8px">{html.escape(str(name))}</th>'
        for name, side in zip(frame.columns, sides, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{side};padding:1px 8px">{_cell(value, places)}</td>'
            for value, side, places in zip(line, sides, decimals, strict=True)
        )
        + "</tr>"
        for line in frame.itertuples(index=False)
    )
    # A wide table scrolls by itself, by keys too, and does not widen the page.
    return (
        f'<div tabindex="0" role="region" aria-label="{html.escape(caption, quote=True)}" '
        'style="width:0;min-width:100%;overflow-x:auto;line-height:1.3;white-space:nowrap;margin-bottom:12px">'
        f'<table><caption style="text-align:left;padding:1px 8px">{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: Any, places: int | None) -> str:
    """Write a value: nothing where it is missing, times in UTC, of a long id its beginning."""
    if pd.isna(value):
        return ""
    if places is not None:
        return f"{value:.{places}f}"
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, pd.Timestamp) else str(value)
    if len(text) <= _LONGEST:
        return html.escape(text)
    return f'<span title="{html.escape(text)}">{html.escape(text[: _LONGEST - 1])}…</span>'


#: Title → what is seen of a study and the item chosen for pictures.
VIEWS: dict[str, Callable[[SessionData, str], str]] = {
    "Tables": _first_rows,
    "Items": _item_table,
    "Times": _times,
    "Accuracy by time": _accuracy,
    "Pacing": _pacing,
    "Scores": _scores,
}
