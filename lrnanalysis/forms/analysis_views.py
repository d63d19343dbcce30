"""The tabs of an analysis: tables and plots as HTML, with text for those who cannot see them."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from lrnanalysis.analysis import Analysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["VIEWS"]

#: Rows of a table that are shown.
_ROWS = 8

#: Characters of a value that are shown.
_WIDTH = 25

#: Columns that hold learners' answers, or anything at all.
_HIDDEN = ("value", "extra", "metadata")


def _overview(analysis: Analysis, _: str) -> str:
    return _region("Analysis", analysis._repr_html_())


def _first_rows(analysis: Analysis, _: str) -> str:
    """Show the first rows of the three tables, without the learners' answers."""
    parts = []
    for name in ("sessions", "responses", "items"):
        frame: pd.DataFrame = getattr(analysis, name)
        shown = frame.head(_ROWS).drop(columns=[one for one in _HIDDEN if one in frame.columns])
        table = shown.astype(object).map(_cell).to_html(index=False, border=0, justify="left")
        caption = f"{name}: {len(shown)} of {len(frame):,} rows"
        parts.append(_region(caption, f"<p>{caption}</p>{table}"))
    return f'<div style="white-space:nowrap">{"".join(parts)}</div>'


def _cell(value: Any) -> str:
    text = "" if pd.isna(value) else str(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _item_analysis(analysis: Analysis, _: str) -> str:
    return _region("Item analysis", analysis.item_analysis()._repr_html_(), align="right")


def _times(analysis: Analysis, item: str) -> str:
    return _plot(lambda ax: analysis.plot.times(item, ax=ax), f"Times on {item}")


def _accuracy(analysis: Analysis, item: str) -> str:
    return _plot(
        lambda ax: analysis.plot.accuracy_by_time(item, ax=ax), f"Accuracy by time on {item}"
    )


def _pacing(analysis: Analysis, _: str) -> str:
    return _plot(lambda ax: analysis.plot.pacing(ax=ax), "Pacing")


def _scores(analysis: Analysis, _: str) -> str:
    return _plot(lambda ax: analysis.plot.score_against_time(ax=ax), "Scores against active time")


def _plot(draw: Callable[[Axes], Any], name: str) -> str:
    """Draw without pyplot, which keeps figures, and give an image with a text alternative."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    ax = figure.subplots()
    draw(ax)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    parts = [name, f"x axis: {ax.get_xlabel()}, y axis: {ax.get_ylabel()}"]
    parts += [" ".join(text.get_text().split()) for text in ax.texts]
    alt = html.escape(". ".join(part for part in parts if part), quote=True)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{alt}" style="max-width:100%" src="data:image/png;base64,{data}">'


def _region(name: str, content: str, align: str = "left") -> str:
    """Let wide tables scroll by themselves, with the keyboard, too; name and align them."""
    label = f'aria-label="{html.escape(name, quote=True)}"'
    table = f'<table {label} style="text-align:{align};border-spacing:8px 1px"'
    content = content.replace("<table", table).replace(' border="1"', "")
    content = content.replace("text-align: right", f"text-align: {align}")
    return (
        f'<div tabindex="0" role="region" {label} style="width:0;min-width:100%;overflow-x:auto;'
        f'line-height:1.3;margin-bottom:12px">{content}</div>'
    )


#: Title → HTML of an analysis and the item chosen for plots.
VIEWS: dict[str, Callable[[Analysis, str], str]] = {
    "Overview": _overview,
    "Tables": _first_rows,
    "Items": _item_analysis,
    "Times": _times,
    "Accuracy": _accuracy,
    "Pacing": _pacing,
    "Scores": _scores,
}
