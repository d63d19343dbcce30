"""Whom a form asks: the embedded Data API, credentials of the environment, a profile, a client."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lrnanalysis import sandbox
from lrnanalysis.api.client import Client
from lrnanalysis.api.credentials import WAYS
from lrnanalysis.errors import CredentialsError, LrnError
from lrnanalysis.forms.code import EMBEDDED, literal
from lrnanalysis.forms.fields import Field, menu, row, text_input

if TYPE_CHECKING:
    from lrnanalysis.sandbox import Sandbox

__all__ = ["Connection"]

_LABELS = {
    "given": "the client given to the form",
    "embedded": "embedded, with simulated learners",
    "environment": "credentials of the environment",
    "profile": "a profile in ~/.learnosity",
}


class Connection:
    """The fields for whom to ask. None takes a secret.

    Parameters
    ----------
    client : Client, optional
        Offered first where it is given.
    """

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._api: Sandbox | None = None
        kinds = [kind for kind in _LABELS if kind != "given" or client is not None]
        first = kinds[0]
        if client is None and os.environ.get("LRN_CONSUMER_KEY"):
            first = "environment"
        self.kind = Field(
            "Data API",
            menu("Data API", {_LABELS[kind]: kind for kind in kinds}, first),
            str,
            self._about,
        )
        self.profile = Field(
            "Profile", text_input("Profile", "default"), self._known_profile, self._about_profile
        )

    @property
    def fields(self) -> tuple[Field[Any], ...]:
        """The fields that count: a profile's name only where a profile is chosen."""
        return (self.kind, self.profile) if self._wants_profile else (self.kind,)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What is filled in."""
        return self.kind.input, self.profile.input

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [row(field.input, field.note.widget) for field in (self.kind, self.profile)]

    @property
    def code(self) -> str | None:
        """Code for `fetch_code`: the client, or None where it is the environment's."""
        if self._wants_profile:
            return f"lrn.Client(profile={literal(self._profile_name)})"
        return {"given": "client", "embedded": "embedded", "environment": None}[
            self.kind.input.value
        ]

    def check(self) -> None:
        """Read the fields, and look at once whether there are credentials; nothing is sent."""
        self.profile.input.layout.display = "" if self._wants_profile else "none"
        self.profile.note.widget.layout.display = "" if self._wants_profile else "none"
        self.kind.read()
        if self._wants_profile:
            self.profile.read()
        elif self.kind.input.value == "environment":
            try:
                Client()
            except LrnError as error:
                self.kind.refuse(_said(error))

    def chosen(self) -> Callable[[], Client]:
        """Give a function that makes the client chosen now, whatever is chosen later."""
        kind = self.kind.input.value
        if kind == "given" and self._client is not None:
            given = self._client
            return lambda: given
        if kind == "embedded":
            return self._embedded
        profile = self._profile_name if kind == "profile" else None
        return lambda: Client(profile=profile)

    def close(self) -> None:
        """Stop the embedded Data API, where it was started."""
        if self._api is not None:
            self._api.close()
            self._api = None

    @property
    def _wants_profile(self) -> bool:
        return bool(self.kind.input.value == "profile")

    @property
    def _profile_name(self) -> str:
        return str(self.profile.input.value).strip() or "default"

    def _embedded(self) -> Client:
        """Start the embedded Data API at the first call; it is then kept."""
        if self._api is None:
            self._api = sandbox.serve(
                learners=EMBEDDED["learners"], items=EMBEDDED["items"], seed=EMBEDDED["seed"]
            )
        return self._api.client()

    def _known_profile(self, _: str) -> str:
        try:
            return repr(Client(profile=self._profile_name))
        except CredentialsError as error:
            raise CredentialsError(_said(error)) from error

    def _about_profile(self, client: str) -> str:
        return f"asks as {client}"

    def _about(self, kind: str) -> str:
        if kind == "embedded":
            return (
                f"{EMBEDDED['learners']} simulated learners, {EMBEDDED['items']} items, activity "
                '"demo"; nothing leaves this machine'
            )
        if kind == "given":
            return f"asks as {self._client!r}"
        return "LRN_CONSUMER_KEY and LRN_CONSUMER_SECRET, else the default profile"


def _said(error: LrnError) -> str:
    """Say it with the ways that there are beside a form, which takes no secret."""
    return str(error).replace(
        WAYS,
        "set LRN_CONSUMER_KEY and LRN_CONSUMER_SECRET before the kernel starts, or write a profile "
        "into ~/.learnosity/credentials",
    )
