"""Faults that the embedded Data API commits on order, for clients to be seen to survive."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from lrnanalysis.sandbox.corpus import Page
from lrnanalysis.sandbox.parameters import Wanted
from lrnanalysis.sandbox.refusals import CODES

__all__ = ["Fault", "Faults", "Kind"]

#: "too_large" refuses a `limit` above this, unless the fault says otherwise.
_ABOVE = 25

Kind = Literal[
    "error",
    "status_false",
    "bad_gateway",
    "stall",
    "cut",
    "not_json",
    "wrong_shape",
    "repeat_token",
    "empty",
    "too_large",
]


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and at which requests.

    Only a request that would have been answered with a page commits a fault: one that is refused
    anyway does not count.

    Attributes
    ----------
    kind : str
        "error"
            The API's own refusal with `code`, by default 10000, with the code's HTTP status:
            42000 is a 429, 41004 a clock that is off, 41008 a disabled key.
        "status_false"
            The same inside an HTTP 200.
        "bad_gateway"
            502 with a page of HTML, as a proxy gives.
        "stall"
            The page comes `seconds` late, by default not until the client hangs up.
        "cut"
            The headers promise the whole body; the connection closes in the middle of it.
        "not_json"
            200 with a body that is no JSON.
        "wrong_shape"
            200 with JSON that is no envelope: `meta` is missing.
        "repeat_token"
            A page with sessions gives back the token it was asked with. Passes over requests
            without a token and empty pages.
        "empty"
            No sessions although there are some; with or without `next` as `next_on_empty` says.
        "too_large"
            20027 for every request whose `limit` is above `above`.
    at : tuple of int, optional
        The numbers of the requests, from 1, as `Sandbox.log` counts them. By default every
        request.
    times : int, optional
        At most so many times.
    code : int, optional
        For "error" and "status_false": one of the documented codes.
    seconds : float, optional
        For "stall".
    above : int, default 25
        For "too_large".

    Raises
    ------
    ValueError
        An unknown kind or code, or an argument that the kind does not take.

    Examples
    --------
    >>> too_many = Fault("error", code=42000, times=2)
    >>> too_many.times
    2
    """

    kind: Kind
    at: tuple[int, ...] | None = None
    times: int | None = None
    code: int | None = None
    seconds: float | None = None
    above: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind is {self.kind!r}: it is one of {', '.join(get_args(Kind))}")
        for name, kinds in (
            ("code", ("error", "status_false")),
            ("seconds", ("stall",)),
            ("above", ("too_large",)),
        ):
            if getattr(self, name) is not None and self.kind not in kinds:
                raise ValueError(f"{name} is {getattr(self, name)}: {self.kind!r} takes none")
        if self.code is not None and self.code not in CODES:
            raise ValueError(f"code is {self.code}: it is one of {', '.join(map(str, CODES))}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}: it is 1 or more")
        if any(request < 1 for request in self.at or ()):
            raise ValueError(f"at is {self.at}: requests are numbered from 1")


class Faults:
    """The faults in force, and how often each may still be committed. Shared by threads.

    Parameters
    ----------
    faults : iterable of Fault
        Where several fit a request, the first of them is committed.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self.all = tuple(faults)
        for fault in self.all:
            if not isinstance(fault, Fault):
                raise TypeError(f"faults holds a {type(fault).__name__}: give Fault objects")
        self._left = [fault.times for fault in self.all]

    def commit(self, request: int, wanted: Wanted, page: Page) -> Fault | None:
        """Give the fault to commit on a request, counting it, or None.

        Parameters
        ----------
        request : int
            Its number, from 1.
        wanted : Wanted
            What was asked for.
        page : Page
            What would be answered.
        """
        with self._lock:
            for place, fault in enumerate(self.all):
                left = self._left[place]
                if left == 0 or not _fits(fault, request, wanted, page):
                    continue
                if left is not None:
                    self._left[place] = left - 1
                return fault
        return None


def _fits(fault: Fault, request: int, wanted: Wanted, page: Page) -> bool:
    if fault.at is not None and request not in fault.at:
        return False
    if fault.kind == "repeat_token":
        return wanted.token is not None and bool(page.records)
    if fault.kind == "too_large":
        return wanted.limit > (_ABOVE if fault.above is None else fault.above)
    return True
