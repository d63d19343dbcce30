"""Where the consumer's key and secret come from: arguments, the environment, a profile.

The environment variables and the files are those of Learnosity's command line `lrn-cli`:
``LRN_CONSUMER_KEY``, ``LRN_CONSUMER_SECRET``, ``LRN_REGION``, ``LRN_VERSION``, ``LRN_PROFILE``,
and sections of ``~/.learnosity/credentials`` and ``~/.learnosity/config``
(``LRN_SHARED_CREDENTIALS_FILE``, ``LRN_CONFIG_FILE`` name others). ``LRN_DOMAIN`` is read too.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lrnanalysis.errors import CredentialsError

__all__ = ["DEFAULT_DOMAIN", "DEFAULT_VERSION", "Credentials", "find_credentials"]

DEFAULT_DOMAIN = "localhost"
DEFAULT_VERSION = "v2026.2.LTS"

_WAYS = (
    "pass consumer_key= and consumer_secret=, or set LRN_CONSUMER_KEY and LRN_CONSUMER_SECRET, "
    "or name a profile of ~/.learnosity/credentials with profile= or LRN_PROFILE; without any, "
    "lrnanalysis.sandbox.serve() gives a Data API with simulated learners"
)
_FROM_ENVIRONMENT = {
    "consumer_key": "LRN_CONSUMER_KEY",
    "consumer_secret": "LRN_CONSUMER_SECRET",
    "domain": "LRN_DOMAIN",
    "region": "LRN_REGION",
    "version": "LRN_VERSION",
}


@dataclass(frozen=True)
class Credentials:
    """Who asks, and where. The secret is in no repr.

    Attributes
    ----------
    consumer_key, consumer_secret : str
        The consumer's.
    domain : str
        The domain that the consumer is allowed to sign for.
    region : str or None
        The consumer's region; None for US East.
    version : str
        The LTS version.
    """

    consumer_key: str
    consumer_secret: str = field(repr=False)
    domain: str
    region: str | None
    version: str


def find_credentials(
    given: Mapping[str, str | None],
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Credentials:
    """Take each setting from the arguments, else the environment, else the profile.

    Key and secret always come from the same place, so that they belong together.

    Parameters
    ----------
    given : mapping
        The arguments by name; None where there is none.
    profile : str, optional
        A section of the profile files; by default that of ``LRN_PROFILE``, else "default" where
        the files have one. A profile that is named here goes before the environment.
    environment : mapping, optional
        By default that of the process.

    Raises
    ------
    CredentialsError
        There are none, or only a part; the profile or a file is not there.
    """
    environment = os.environ if environment is None else environment
    arguments = {name: value for name, value in given.items() if value}
    variables = {
        name: environment[variable]
        for name, variable in _FROM_ENVIRONMENT.items()
        if environment.get(variable)
    }
    named = profile or environment.get("LRN_PROFILE")
    section = _profile(named, environment)
    places = [("the arguments", arguments), ("the environment", variables)]
    from_profile = (f"profile {named or 'default'!r}", section)
    places.insert(1 if profile else 2, from_profile)
    key, secret = _pair(places)

    def setting(name: str) -> str | None:
        return next((found[name] for _, found in places if name in found), None)

    return Credentials(
        key,
        secret,
        domain=setting("domain") or DEFAULT_DOMAIN,
        region=setting("region"),
        version=setting("version") or DEFAULT_VERSION,
    )


def _pair(places: list[tuple[str, dict[str, str]]]) -> tuple[str, str]:
    for place, found in places:
        key, secret = found.get("consumer_key"), found.get("consumer_secret")
        if key and secret:
            return key, secret
        if key or secret:
            missing = "consumer_secret" if key else "consumer_key"
            raise CredentialsError(f"{place} gave no {missing} beside the other: {_WAYS}")
    raise CredentialsError(f"no credentials were found: {_WAYS}")


def _profile(named: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    folder = Path(environment.get("HOME") or Path.home()) / ".learnosity"
    credentials = Path(
        environment.get("LRN_SHARED_CREDENTIALS_FILE") or folder / "credentials"
    ).expanduser()
    config = Path(environment.get("LRN_CONFIG_FILE") or folder / "config").expanduser()
    settings, secrets = _sections(config), _sections(credentials)
    name = named or "default"
    about = settings.get(name, {})
    source = about.get("source_profile", name)
    if named and source not in secrets:
        known = ", ".join(secrets) or "none"
        raise CredentialsError(
            f"profile {source!r} is not in {credentials}, which has {known}: {_WAYS}"
        )
    kept = {key: about[key] for key in ("region", "version", "domain") if about.get(key)}
    pair = {
        key: value
        for key, value in secrets.get(source, {}).items()
        if key in _FROM_ENVIRONMENT and value
    }
    return kept | pair


def _sections(file: Path) -> dict[str, dict[str, str]]:
    # Without interpolation: a secret may hold a per cent sign.
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        with file.open(encoding="utf-8") as lines:
            parser.read_file(lines)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{file} cannot be read ({type(error).__name__})") from None
    except configparser.Error as error:
        # Its text quotes the line, which may be the secret.
        raise CredentialsError(
            f"{file} is no INI file ({type(error).__name__}): expected sections such as "
            "[default] with consumer_key = … and consumer_secret = …"
        ) from None
    return {name: dict(parser[name]) for name in parser.sections()}
