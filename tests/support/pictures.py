"""Reading a picture back, and matrices to draw."""

import numpy as np


def words(ax):
    """Title and texts of a picture as one line: captions are wrapped where axes are narrow."""
    texts = [ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)]
    return " ".join(" ".join(texts).split())


def legend(ax):
    """Entries of the legend."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def bars(container):
    """Lower and upper ends of the intervals of an errorbar."""
    (lines,) = container[2]
    return np.array([segment[:, 1] for segment in lines.get_segments()]).T


def points(ax):
    """Places of all points that were scattered."""
    return np.vstack([np.asarray(part.get_offsets()) for part in ax.collections])


def pivot(items, column):
    """A column of the items table as sessions × items."""
    rows = items.assign(item_reference=items["item_reference"].astype(str))
    return rows.pivot(index="session_id", columns="item_reference", values=column)
