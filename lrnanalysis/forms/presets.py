"""Presets: named settings of a form in a JSON file. Never a secret; personal IDs on request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from lrnanalysis.errors import LrnError, QueryError, ReadError
from lrnanalysis.forms.form_elements import LABEL_WIDTH, Message, button, checkbox, row
from lrnanalysis.io.files import open_atomic

__all__ = ["PresetBar", "PresetFile"]

#: Filters that name persons or their sessions.
_PERSONAL = ("user_id", "session_id")


class PresetFile:
    """Named settings in one JSON file, which the first `save` creates.

    Parameters
    ----------
    path : str or Path
        The file: name → settings.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def names(self) -> list[str]:
        """Give the names of all presets, sorted.

        Raises
        ------
        ReadError
            The file exists and is not a file of presets.
        """
        return sorted(self._all())

    def load(self, name: str) -> dict[str, Any]:
        """Give a preset's settings.

        Raises
        ------
        ReadError
            There is no preset of that name, or the file cannot be read.
        """
        found = self._all()
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise ReadError(
                f"preset {name!r} not found in {self.path.name}: available presets: {known}"
            )
        return found[name]

    def save(self, name: str, settings: dict[str, Any], *, ids: bool) -> list[str]:
        """Save settings under a name, in place of any that have it.

        Parameters
        ----------
        name : str
            Of the preset.
        settings : dict
            ``query``: the filters, and any other plain JSON.
        ids : bool
            Whether to save user and session IDs, too.

        Returns
        -------
        list of str
            The filters that were left out.

        Raises
        ------
        QueryError
            The name is empty.
        ReadError
            The file cannot be read or written.
        """
        if not name:
            raise QueryError("the preset has no name: enter one")
        query = dict(settings["query"])
        # A token is a position in one fetch, not a setting.
        query.pop("next", None)
        left_out = [] if ids else [one for one in _PERSONAL if query.pop(one, None)]
        self._write(self._all() | {name: settings | {"query": query}})
        return left_out

    def _all(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ReadError(f"{self.path.name} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ReadError(
                f"{self.path.name} is not valid JSON: repair it, or use another file"
            ) from error
        if not isinstance(found, dict) or not all(
            isinstance(one, dict) and isinstance(one.get("query"), dict) for one in found.values()
        ):
            raise ReadError(f"{self.path.name} is not a file of presets: use another file")
        return found

    def _write(self, presets: dict[str, dict[str, Any]]) -> None:
        text = json.dumps(presets, indent=2, ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open_atomic(self.path) as file:
                file.write(text.encode())
        except OSError as error:
            raise ReadError(f"{self.path.name} cannot be written: {error.strerror}") from error


class PresetBar:
    """The fields and buttons for presets.

    Parameters
    ----------
    file : PresetFile
        Where they are kept.
    settings : callable
        Gives the form's settings; raises an `LrnError` where a field is wrong.
    fill : callable
        Writes settings into the form.
    """

    def __init__(
        self,
        file: PresetFile,
        settings: Callable[[], dict[str, Any]],
        fill: Callable[[dict[str, Any]], None],
    ) -> None:
        self._file = file
        self._settings = settings
        self._fill = fill
        self._name = widgets.Combobox(
            description="Preset",
            placeholder="name",
            style={"description_width": LABEL_WIDTH},
            layout=widgets.Layout(width="310px", flex="0 0 auto"),
        )
        self._ids = checkbox("save user and session IDs")
        self._message = Message()
        self._buttons = (
            button("Load", lambda _: self._guard(self.load)),
            button("Save", lambda _: self._guard(self.save)),
        )
        self._guard(self._list_names)

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [row(self._name, *self._buttons, self._ids), row(self._message.widget)]

    def save(self) -> None:
        """Save the form's settings under the name in the field."""
        name = self._name.value.strip()
        left_out = self._file.save(name, self._settings(), ids=self._ids.value)
        without = f", without {' and '.join(left_out)}" if left_out else ""
        self._list_names()
        self._message.show(f"saved as {name!r} in {self._file.path.name}{without}", "status")

    def load(self) -> None:
        """Fill the form from the preset of the name in the field."""
        name = self._name.value.strip()
        self._fill(self._file.load(name))
        self._message.show(f"loaded {name!r}", "status")

    def _list_names(self) -> None:
        self._name.options = self._file.names()

    def _guard(self, act: Callable[[], None]) -> None:
        """Act, and show any error beside the fields."""
        try:
            act()
        except LrnError as error:
            self._message.show(str(error), "problem")
