"""Where a form fetches from: the embedded Data API, or the real one with credentials."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lrnanalysis import sandbox
from lrnanalysis.api.client import Client
from lrnanalysis.api.credentials import CREDENTIALS_HELP
from lrnanalysis.errors import CredentialsError
from lrnanalysis.forms.code_generation import EMBEDDED, literal
from lrnanalysis.forms.form_fields import FormField, MenuField, TextField

if TYPE_CHECKING:
    from lrnanalysis.sandbox import Sandbox

__all__ = ["DataSource"]

_OPTIONS = {
    "client passed to the form": "client",
    "embedded, with simulated learners": "embedded",
    "credentials from the environment": "environment",
    "profile in ~/.learnosity": "profile",
}

#: What to do about missing credentials; a form has no field for a secret.
_FORM_HELP = (
    "set LRN_CONSUMER_KEY and LRN_CONSUMER_SECRET before the kernel starts, or add a profile "
    "to ~/.learnosity/credentials"
)


class DataSource:
    """The fields for the data source. None takes a secret.

    Parameters
    ----------
    client : Client, optional
        The first option where it is given.
    """

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._api: Sandbox | None = None
        options = {text: one for text, one in _OPTIONS.items() if client or one != "client"}
        first = next(iter(options.values()))
        if client is None and os.environ.get("LRN_CONSUMER_KEY"):
            first = "environment"
        self._source = MenuField("Data API", "source", options, first, self._describe)
        self._profile = TextField("Profile", "profile", "default", self._describe_profile)

    @property
    def fields(self) -> list[FormField]:
        """The fields that are shown: the profile's name only where a profile is chosen."""
        return [self._source, self._profile] if self._kind == "profile" else [self._source]

    @property
    def inputs(self) -> list[Any]:
        """All inputs, shown or not."""
        return [*self._source.inputs, *self._profile.inputs]

    def rows(self) -> list[Any]:
        """Give the rows of the form."""
        return [self._source.row, self._profile.row]

    @property
    def code(self) -> str | None:
        """Code for `fetch_code`: the client, or None for the environment's credentials."""
        if self._kind == "profile":
            return f"lrn.Client(profile={literal(self._profile_name)})"
        return None if self._kind == "environment" else self._kind

    def show_fields(self) -> None:
        """Show the profile's name only where a profile is chosen."""
        self._profile.row.layout.display = "" if self._kind == "profile" else "none"

    def client(self) -> Callable[[], Client]:
        """Give a function that makes the client of the present choice, whenever it is called."""
        kind, given, profile = self._kind, self._client, self._profile_name
        if kind == "client" and given is not None:
            return lambda: given
        if kind == "embedded":
            return self._embedded
        return lambda: Client(profile=profile if kind == "profile" else None)

    def close(self) -> None:
        """Stop the embedded Data API if it was started."""
        if self._api is not None:
            self._api.close()
            self._api = None

    @property
    def _kind(self) -> str:
        return str(self._source.inputs[0].value)

    @property
    def _profile_name(self) -> str:
        return str(self._profile.inputs[0].value).strip() or "default"

    def _embedded(self) -> Client:
        """Start the embedded Data API at the first call, and keep it."""
        if self._api is None:
            self._api = sandbox.serve(**EMBEDDED)
        return self._api.client()

    def _describe(self, kind: str) -> str:
        """Describe the source; raises a `CredentialsError` where there are no credentials."""
        if kind == "embedded":
            learners, items = EMBEDDED["learners"], EMBEDDED["items"]
            return (
                f'{learners} simulated learners, {items} items, activity "demo"; nothing leaves '
                "this computer"
            )
        if kind == "client":
            return repr(self._client)
        return repr(_client(None)) if kind == "environment" else ""

    def _describe_profile(self, _: str | None) -> str:
        return repr(_client(self._profile_name))


def _client(profile: str | None) -> Client:
    """Make a client, which sends nothing; explain missing credentials for a form."""
    try:
        return Client(profile=profile)
    except CredentialsError as error:
        raise CredentialsError(str(error).replace(CREDENTIALS_HELP, _FORM_HELP)) from error
