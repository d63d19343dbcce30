"""Credentials: where they come from, in which order, and what is never said."""

import pytest

from lrnanalysis.credentials import find_credentials
from lrnanalysis.errors import CredentialsError

NONE = dict.fromkeys(["consumer_key", "consumer_secret", "domain", "region", "version"])


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / ".learnosity"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\nconsumer_key=default-key\nconsumer_secret=default-secret%1\n"
        "[research]\nconsumer_key = research-key\nconsumer_secret = research-secret\n"
        "[half]\nconsumer_key = half-key\n"
    )
    (folder / "config").write_text(
        "[research]\nregion = ie\nversion = v2025.2.LTS\n"
        "[borrowed]\nregion = au\nsource_profile = research\n"
    )
    return tmp_path


def find(environment, profile=None, **given):
    return find_credentials(NONE | given, profile, environment)


def test_arguments_go_first(home):
    found = find(
        {"HOME": str(home), "LRN_CONSUMER_KEY": "env", "LRN_CONSUMER_SECRET": "env-secret"},
        consumer_key="arg",
        consumer_secret="arg-secret",
    )
    assert (found.consumer_key, found.consumer_secret) == ("arg", "arg-secret")
    assert (found.domain, found.region, found.version) == ("localhost", None, "v2026.2.LTS")


def test_the_environment_goes_before_a_profile(home):
    environment = {
        "HOME": str(home),
        "LRN_CONSUMER_KEY": "env",
        "LRN_CONSUMER_SECRET": "env-secret",
        "LRN_DOMAIN": "example.org",
        "LRN_REGION": "ca",
        "LRN_VERSION": "v2026.1.LTS",
    }
    found = find(environment)
    assert (found.consumer_key, found.consumer_secret) == ("env", "env-secret")
    assert (found.domain, found.region, found.version) == ("example.org", "ca", "v2026.1.LTS")
    assert find(environment, region="va").region == "va"


def test_a_profile_that_is_named_goes_before_the_environment(home):
    environment = {
        "HOME": str(home),
        "LRN_CONSUMER_KEY": "env",
        "LRN_CONSUMER_SECRET": "env-secret",
    }
    assert find(environment, "research").consumer_key == "research-key"
    assert find(environment, "research").region == "ie"
    assert find(environment | {"LRN_PROFILE": "research"}).consumer_key == "env"


def test_profiles_as_lrn_cli_keeps_them(home):
    default = find({"HOME": str(home)})
    assert (default.consumer_key, default.consumer_secret) == ("default-key", "default-secret%1")
    research = find({"HOME": str(home), "LRN_PROFILE": "research"})
    assert (research.consumer_secret, research.version) == ("research-secret", "v2025.2.LTS")
    borrowed = find({"HOME": str(home)}, "borrowed")
    assert (borrowed.consumer_key, borrowed.region) == ("research-key", "au")


def test_files_elsewhere(home, tmp_path):
    other = tmp_path / "other"
    other.write_text("[default]\nconsumer_key=k\nconsumer_secret=s\n")
    found = find({"HOME": str(home), "LRN_SHARED_CREDENTIALS_FILE": str(other)})
    assert found.consumer_key == "k"


@pytest.mark.parametrize(
    ("environment", "profile", "given", "message"),
    [
        ({}, None, {}, "no credentials were found"),
        ({}, None, {"consumer_key": "k"}, "the arguments gave no consumer_secret"),
        ({"LRN_CONSUMER_SECRET": "s"}, None, {}, "the environment gave no consumer_key"),
        ({"LRN_CONSUMER_KEY": "k", "LRN_CONSUMER_SECRET": ""}, None, {}, "gave no consumer_secret"),
        ({}, "research", {}, "profile 'research' is not in .*which has none"),
    ],
)
def test_what_is_missing_is_named(tmp_path, environment, profile, given, message):
    with pytest.raises(CredentialsError, match=message) as caught:
        find(environment | {"HOME": str(tmp_path)}, profile, **given)
    for way in ("consumer_key=", "LRN_CONSUMER_KEY", "profile", "sandbox.serve()"):
        assert way in str(caught.value)


def test_a_profile_without_its_secret(home):
    with pytest.raises(CredentialsError, match="profile 'half' gave no consumer_secret"):
        find({"HOME": str(home)}, "half")


def test_a_broken_file_is_named_and_not_quoted(home):
    (home / ".learnosity" / "credentials").write_text("[default]\nmy-secret-without-a-name\n")
    with pytest.raises(CredentialsError, match="is no INI file") as caught:
        find({"HOME": str(home)})
    error = caught.value
    assert "my-secret" not in repr(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_no_secret_in_a_repr(home):
    assert "default-secret" not in repr(find({"HOME": str(home)}))
