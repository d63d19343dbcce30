"""Presets: named settings of a form in a JSON file. Never a secret; ids of persons on request."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from lrnanalysis.errors import LrnError, QueryError, ReadError
from lrnanalysis.forms.fields import LABEL, Note, button, checkbox, row
from lrnanalysis.io.files import whole_file

__all__ = ["PresetBar", "Presets"]

#: Filters that name persons or their sessions.
_PERSONAL = ("user_id", "session_id")


class Presets:
    """Named settings in one file, which is made at the first `save`.

    Parameters
    ----------
    file : str or Path
        A JSON file: name → settings.
    """

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)

    def names(self) -> list[str]:
        """Give the names of all presets, sorted.

        Raises
        ------
        ReadError
            The file is there and is none of presets.
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
            raise ReadError(f"there is no preset {name!r} in {self.file.name}, which has {known}")
        return found[name]

    def save(self, name: str, settings: dict[str, Any], *, ids: bool) -> list[str]:
        """Save settings under a name; what has that name is replaced.

        Parameters
        ----------
        name : str
            Of the preset.
        settings : dict
            ``query``: the filters, and whatever else is plain JSON.
        ids : bool
            Whether learners' and sessions' ids are saved too.

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
        if not name.strip():
            raise QueryError("the preset has no name: give it one")
        query = dict(settings["query"])
        # A token is a place in one fetch, not a setting.
        query.pop("next", None)
        left_out = [] if ids else [one for one in _PERSONAL if query.pop(one, None)]
        self._write(self._all() | {name.strip(): settings | {"query": query}})
        return left_out

    def _all(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ReadError(f"{self.file.name} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ReadError(f"{self.file.name} is no JSON: mend it, or name another") from error
        if not isinstance(found, dict) or not all(
            isinstance(one, dict) and isinstance(one.get("query"), dict) for one in found.values()
        ):
            raise ReadError(f"{self.file.name} holds no presets: name another file")
        return found

    def _write(self, presets: dict[str, dict[str, Any]]) -> None:
        text = json.dumps(presets, indent=2, ensure_ascii=False) + "\n"
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.file) as file:
                file.write(text.encode())
        except OSError as error:
            raise ReadError(f"{self.file.name} cannot be written: {error.strerror}") from error


class PresetBar:
    """The fields and buttons for presets.

    Parameters
    ----------
    presets : Presets
        Where they are kept.
    settings : callable
        Gives the form's settings; raises an `LrnError` where a field is wrong.
    fill : callable
        Writes settings into the form.
    """

    def __init__(
        self,
        presets: Presets,
        settings: Callable[[], dict[str, Any]],
        fill: Callable[[dict[str, Any]], None],
    ) -> None:
        self._presets = presets
        self._settings = settings
        self._fill = fill
        self._name = widgets.Combobox(
            description="Preset",
            placeholder="a name",
            style={"description_width": LABEL},
            layout=widgets.Layout(width="300px", flex="0 0 auto"),
        )
        self._ids = checkbox("save user and session ids")
        self._note = Note()
        self._buttons = (
            button("Load", lambda _: self._told(self.load)),
            button("Save", lambda _: self._told(self.save)),
        )
        self._told(self._offer)

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [row(self._name, *self._buttons, self._ids), row(self._note.widget)]

    def save(self) -> None:
        """Save the form's settings under the name in the field."""
        name = self._name.value.strip()
        left_out = self._presets.save(name, self._settings(), ids=self._ids.value)
        without = f", without {' and '.join(left_out)}" if left_out else ""
        self._offer()
        self._note.say(f"saved as {name!r} in {self._presets.file.name}{without}", "good")

    def load(self) -> None:
        """Fill the form from the preset of the name in the field."""
        name = self._name.value.strip()
        self._fill(self._presets.load(name))
        self._note.say(f"loaded {name!r}", "good")

    def _offer(self) -> None:
        self._name.options = self._presets.names()

    def _told(self, act: Callable[[], None]) -> None:
        """Act, and say beside the fields what goes wrong."""
        try:
            act()
        except LrnError as error:
            self._note.say(str(error), "wrong")
