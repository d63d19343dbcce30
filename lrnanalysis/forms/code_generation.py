"""Python code equivalent to a form: short, formatted, ready to run."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from lrnanalysis.api.query import Query

__all__ = ["EMBEDDED", "analysis_code", "fetch_code", "literal"]

#: What the embedded Data API of a form simulates.
EMBEDDED: dict[str, Any] = {"learners": 200, "items": 20, "seed": 1}

_WIDTH = 88


def literal(value: Any, indent: int = 0) -> str:
    """Write a value as Python; a long list fills its lines.

    Examples
    --------
    >>> literal(("a", "b"))
    '["a", "b"]'
    """
    if not isinstance(value, list | tuple):
        return _one(value)
    parts = [_one(one) for one in value]
    short = f"[{', '.join(parts)}]"
    if len(short) + indent <= _WIDTH - 20:
        return short
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) + 2 > _WIDTH - indent - 4:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{part},"
    return "[\n" + textwrap.indent("\n".join(lines), "    ") + "\n]"


def _one(value: Any) -> str:
    """As repr, but in double quotes where the text contains none."""
    written = repr(value)
    if isinstance(value, str) and written.startswith("'") and '"' not in value:
        return '"' + written[1:-1] + '"'
    return written


def fetch_code(query: Query, client: str | None, max_sessions: int | None = None) -> str:
    """Give the code of a fetch.

    Parameters
    ----------
    query : Query
        The sessions wanted.
    client : str or None
        Code of the client: None for the environment's credentials, "embedded" for the embedded
        Data API.
    max_sessions : int, optional
        Where to stop.

    Returns
    -------
    str
        Code that assigns the result to ``study``.

    Examples
    --------
    >>> print(fetch_code(Query(activity_id="numeracy", limit=10), None))
    import lrnanalysis as lrn
    <BLANKLINE>
    study = lrn.fetch(activity_id="numeracy", limit=10)
    """
    stop = {} if max_sessions is None else {"max_sessions": max_sessions}
    arguments = _arguments(query.to_dict() | stop)
    if client == "embedded":
        settings = ", ".join(f"{name}={value}" for name, value in EMBEDDED.items())
        call = _call("study = lrn.fetch", arguments | {"client": "api.client()"}, 4)
        body = f"with lrn.sandbox.serve({settings}) as api:\n" + textwrap.indent(call, "    ")
    else:
        if client is not None:
            arguments["client"] = client
        body = _call("study = lrn.fetch", arguments, 0)
    return f"import lrnanalysis as lrn\n\n{body}"


def analysis_code(conditions: Mapping[str, str], decisions: Mapping[str, Any]) -> str:
    """Give the code of an analysis.

    Parameters
    ----------
    conditions : mapping of str to str
        Name → code of a mask, from ``sessions`` and ``study``.
    decisions : mapping of str to object
        Arguments of `SessionData.analysis`.

    Returns
    -------
    str
        Code that assigns the result to ``analysis``.

    Examples
    --------
    >>> print(analysis_code({"of_user": 'sessions["user_id"] == "a"'}, {"attempts": "last"}))
    sessions = study.sessions
    of_user = sessions["user_id"] == "a"
    analysis = study[of_user].analysis(attempts="last")
    """
    lines = ["sessions = study.sessions"] if conditions else []
    lines += [f"{name} = {code}" for name, code in conditions.items()]
    selection = f"study[{' & '.join(conditions)}]" if conditions else "study"
    call = _call(f"analysis = {selection}.analysis", _arguments(decisions), 0)
    return "\n".join([*lines, call])


def _arguments(values: Mapping[str, Any]) -> dict[str, str]:
    """Write arguments as Python; one of a list as itself."""
    written = {}
    for name, value in values.items():
        single = isinstance(value, list | tuple) and len(value) == 1
        written[name] = literal(value[0] if single else value, len(name) + 5)
    return written


def _call(function: str, arguments: Mapping[str, str], indent: int) -> str:
    parts = [f"{name}={code}" for name, code in arguments.items()]
    short = f"{function}({', '.join(parts)})"
    if "\n" not in short and len(short) + indent <= _WIDTH:
        return short
    inside = "".join(f"{part},\n" for part in parts)
    return f"{function}(\n{textwrap.indent(inside, '    ')})"
