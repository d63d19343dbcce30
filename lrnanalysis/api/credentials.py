"""Credentials: consumer key and secret, region and version, and the resulting address.

Settings come from arguments, the environment or a profile. Environment variables and files are
those of Learnosity's command line `lrn-cli`: ``LRN_CONSUMER_KEY``,
``LRN_CONSUMER_SECRET``, ``LRN_REGION``, ``LRN_VERSION``, ``LRN_ENVIRONMENT``, ``LRN_PROFILE``, and
sections of ``~/.learnosity/credentials`` and ``~/.learnosity/config``
(or the files named by ``LRN_SHARED_CREDENTIALS_FILE`` and ``LRN_CONFIG_FILE``). ``LRN_DOMAIN`` is
read, too.
"""

from __future__ import annotations

import configparser
import difflib
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, quote, urlsplit

from lrnanalysis.errors import CredentialsError, QueryError, shown

__all__ = [
    "CREDENTIALS_HELP",
    "REGIONS",
    "Credentials",
    "address",
    "find_credentials",
    "is_loopback",
]

DEFAULT_DOMAIN = "localhost"
DEFAULT_VERSION = "v2026.2.LTS"

#: Region of a consumer → host; None is US East.
REGIONS: Mapping[str | None, str] = MappingProxyType(
    {
        None: "data.learnosity.com",
        "va": "data-va.learnosity.com",
        "ie": "data-ie.learnosity.com",
        "au": "data-au.learnosity.com",
        "ca": "data-ca.learnosity.com",
        "or": "data-or.learnosity.com",
    }
)

#: Ways to pass credentials, for messages.
CREDENTIALS_HELP = (
    "pass consumer_key= and consumer_secret=, or set LRN_CONSUMER_KEY and LRN_CONSUMER_SECRET, "
    "or name a profile in ~/.learnosity/credentials with profile= or LRN_PROFILE; without "
    "credentials, use lrnanalysis.sandbox.serve(), a Data API with simulated learners"
)
_PAIR = ("consumer_key", "consumer_secret")
_FROM_ENVIRONMENT = {
    "consumer_key": "LRN_CONSUMER_KEY",
    "consumer_secret": "LRN_CONSUMER_SECRET",
    "domain": "LRN_DOMAIN",
    "region": "LRN_REGION",
    "version": "LRN_VERSION",
    "environment": "LRN_ENVIRONMENT",
}
_FROM_CONFIG = ("domain", "region", "version", "environment")
_PRODUCTION = ("prod", "production")


@dataclass(frozen=True)
class Credentials:
    """Credentials and settings of a consumer. The repr shows neither key nor secret.

    Attributes
    ----------
    consumer_key, consumer_secret : str
        Key and secret.
    domain : str
        Domain for which the consumer may sign.
    region : str or None
        Region of the consumer; None for US East.
    version : str
        LTS version.
    environment : str or None
        As in lrn-cli's profiles: None is production, others are internal to Learnosity.
    """

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    domain: str
    region: str | None
    version: str
    environment: str | None = None


def find_credentials(
    given: Mapping[str, str | None],
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Credentials:
    """Find each setting in the arguments, else the environment, else the profile.

    Key and secret always come from the same source, so that they belong together. The profile
    files are read only if a profile is named, or if neither the arguments nor the environment
    have a key: the region in a file belongs to the key in that file.

    Parameters
    ----------
    given : mapping
        Arguments by name; None if not given.
    profile : str, optional
        A section of the profile files; default: that of ``LRN_PROFILE``, else "default" if the
        files have one. A profile named here takes precedence over the environment.
    environment : mapping, optional
        Default: that of the process.

    Raises
    ------
    CredentialsError
        Credentials are missing, incomplete or malformed, or the profile or a file that was named
        was not found.

    Examples
    --------
    >>> find_credentials({"consumer_key": "k", "consumer_secret": "s", "region": "ie"}, None, {})
    Credentials(domain='localhost', region='ie', version='v2026.2.LTS', environment=None)
    """
    if profile is not None and not isinstance(profile, str):
        raise CredentialsError(f"profile is {shown(profile)}: expects the name of a profile")
    environment = os.environ if environment is None else environment
    # An empty variable counts as unset. An empty argument is a mistake, which falling back to
    # another consumer's key would hide.
    arguments = {name: value for name, value in given.items() if value is not None}
    variables = {
        name: environment[variable]
        for name, variable in _FROM_ENVIRONMENT.items()
        if environment.get(variable)
    }
    places = [("the arguments", arguments), ("the environment", variables)]
    named = profile or environment.get("LRN_PROFILE")
    keyed = any(name in found for _, found in places for name in _PAIR)
    if named or not keyed:
        section = _profile(named, environment, keyed=keyed and not profile)
        places.insert(1 if profile else 2, (f"profile {named or 'default'!r}", section))
    for place, found in places:
        for name, value in found.items():
            _check(place, name, value)
    key, secret = _pair(places)

    def setting(name: str) -> str | None:
        return next((found[name] for _, found in places if name in found), None)

    return Credentials(
        key,
        secret,
        domain=setting("domain") or DEFAULT_DOMAIN,
        region=setting("region"),
        version=setting("version") or DEFAULT_VERSION,
        environment=setting("environment"),
    )


def address(credentials: Credentials, base_url: str | None = None) -> str:
    """Return the address to which the path of an endpoint is appended.

    Parameters
    ----------
    credentials : Credentials
        The region determines the host; the version is the first part of the path.
    base_url : str, optional
        Another host: https, or http on loopback.

    Raises
    ------
    QueryError
        The region is unknown, or `base_url` is neither https nor loopback.
    CredentialsError
        The environment is internal to Learnosity, so its address is not public.

    Examples
    --------
    >>> found = find_credentials({"consumer_key": "k", "consumer_secret": "s"}, None, {})
    >>> address(found)
    'https://data.learnosity.com/v2026.2.LTS'
    >>> address(found, "http://127.0.0.1:8000/")
    'http://127.0.0.1:8000/v2026.2.LTS'
    """
    host = _host(credentials.region)
    stage = credentials.environment
    if base_url is not None:
        start = _checked_url(base_url)
    elif stage and stage.lower() not in _PRODUCTION:
        raise CredentialsError(
            f"environment is {stage!r}, from LRN_ENVIRONMENT or the profile: its address is not "
            "public; pass base_url=, or remove the setting to use the production service"
        )
    else:
        start = f"https://{host}"
    return f"{start}/{quote(credentials.version.strip('/'), safe='')}"


def is_loopback(url: str) -> bool:
    """Whether an address belongs to this machine, so that nobody else can listen."""
    host = urlsplit(url).hostname
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _check(place: str, name: str, value: object) -> None:
    """Refuse malformed settings without showing a key or secret."""
    if not isinstance(value, str):
        raise CredentialsError(f"{name} of {place} is of type {type(value).__name__}: expects text")
    if not value.strip():
        ways = f", or {CREDENTIALS_HELP}" if name in _PAIR else ""
        raise CredentialsError(f"{name} of {place} is empty: omit it{ways}")
    if value != value.strip() or not value.isprintable():
        raise CredentialsError(
            f"{name} of {place} begins or ends with white space or contains a line break: "
            "copy it again"
        )
    if name == "consumer_key" and (not value.isascii() or " " in value):
        # It is sent in a header, too.
        raise CredentialsError(f"{name} of {place} contains an invalid character: copy it again")


def _pair(places: list[tuple[str, dict[str, str]]]) -> tuple[str, str]:
    for place, found in places:
        key, secret = found.get("consumer_key"), found.get("consumer_secret")
        if key and secret:
            return key, secret
        if key or secret:
            missing = "consumer_secret" if key else "consumer_key"
            raise CredentialsError(f"{missing} is missing from {place}: {CREDENTIALS_HELP}")
    raise CredentialsError(f"no credentials found: {CREDENTIALS_HELP}")


def _profile(named: str | None, environment: Mapping[str, str], *, keyed: bool) -> dict[str, str]:
    """The settings of a profile. If there is a key already, it may have none."""
    folder = Path(environment.get("HOME") or os.path.expanduser("~")) / ".learnosity"
    files = [
        (environment.get("LRN_SHARED_CREDENTIALS_FILE"), folder / "credentials"),
        (environment.get("LRN_CONFIG_FILE"), folder / "config"),
    ]
    secrets, settings = (
        _sections(Path(os.path.expanduser(elsewhere)), must_exist=True)
        if elsewhere
        else _sections(usual)
        for elsewhere, usual in files
    )
    name = named or "default"
    about = settings.get(name, {})
    source = about.get("source_profile", name)
    if named and source not in secrets and not (keyed and about):
        file, known = files[0][0] or files[0][1], ", ".join(secrets) or "none"
        raise CredentialsError(
            f"profile {source!r} not found in {file}, which has {known}: {CREDENTIALS_HELP}"
        )
    kept = {key: about[key] for key in _FROM_CONFIG if about.get(key)}
    pair = {key: secrets[source][key] for key in _PAIR if secrets.get(source, {}).get(key)}
    return kept | pair


def _sections(file: Path, *, must_exist: bool = False) -> dict[str, dict[str, str]]:
    # Without interpolation: a secret may contain a percent sign.
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    problem = None
    try:
        parser.read_string(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        if must_exist:
            raise CredentialsError(f"{file} not found: {CREDENTIALS_HELP}") from error
    except OSError as error:
        raise CredentialsError(f"{file} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, configparser.Error) as error:
        problem = type(error).__name__
    if problem is not None:
        # Raised here, without a cause: that would quote the line, which may be the secret.
        raise CredentialsError(
            f"{file} is not an INI file ({problem}): expected sections such as [default] with "
            "consumer_key = … and consumer_secret = …"
        )
    return {name: dict(parser[name]) for name in parser.sections()}


def _host(region: str | None) -> str:
    name = region.lower() if region else None
    if name not in REGIONS:
        known = [one for one in REGIONS if one]
        close = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise QueryError(
            f"region is {region!r}: {hint}expects one of {', '.join(known)}, or None for US East"
        )
    return REGIONS[name]


def _checked_url(base_url: str) -> str:
    if not isinstance(base_url, str):
        raise CredentialsError(f"base_url is {shown(base_url)}: expects an https address")
    parts = _parts(base_url)
    if parts is None or not parts.hostname:
        raise QueryError(
            f"base_url is {base_url!r}: expects https://, a host, and optionally a port and a path"
        )
    if parts.username is not None or parts.query or parts.fragment:
        # Not shown: what precedes an @ may be a password.
        raise QueryError(
            "base_url contains a user name, a question mark or a number sign: expects the address "
            "alone; key and secret are arguments of their own"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(base_url)):
        raise QueryError(
            f"base_url is {base_url!r}: expects https, since http is redirected, which drops the "
            "request, and can be read by others; http is for loopback only"
        )
    return base_url.rstrip("/")


#: A host name in ASCII; how long its parts may be is checked by its encoding.
_HOST = re.compile(rb"[A-Za-z0-9._-]+")


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it checks it
        host = parts.hostname or ""
        if ":" not in host and not _HOST.fullmatch(host.encode("idna")):
            return None
    except ValueError:
        return None
    return parts
