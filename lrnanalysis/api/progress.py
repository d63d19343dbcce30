"""The progress bar of a fetch, in a notebook or a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ProgressBar", "progress_bar"]


class ProgressBar:
    """How many sessions have been fetched, and how fast; see `progress_bar`."""

    def __init__(self, shown: bool) -> None:
        # Imported late, since it is slow and may not be needed.
        from tqdm.auto import tqdm

        self._note = "fetching"
        self._bar = tqdm(unit=" sessions", desc=self._note, disable=not shown)

    def show(self, sessions: int, note: str = "fetching") -> None:
        """Show a number of sessions, and what is being done."""
        if note != self._note:
            self._note = note
            self._bar.set_description(note)
        self._bar.update(sessions - self._bar.n)

    def fail(self) -> None:
        """Mark the fetch as unfinished."""
        # Only a notebook's bar has colours; one without a total would end in green.
        if colour := getattr(self._bar, "disp", None):
            colour(bar_style="danger", check_delay=False)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


@contextmanager
def progress_bar(shown: bool) -> Iterator[ProgressBar]:
    """A progress bar that is closed in any case, marked as unfinished after an error.

    Examples
    --------
    >>> with progress_bar(False) as bar:
    ...     bar.show(50)
    """
    bar = ProgressBar(shown)
    try:
        yield bar
    except BaseException:
        bar.fail()
        raise
    finally:
        bar.close()
