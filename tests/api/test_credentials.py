"""Credentials: where they come from, in which order, and what is never said."""

import pytest

from lrnanalysis.api.credentials import address, find_credentials
from lrnanalysis.errors import CredentialsError, QueryError

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
        ({}, None, {}, "no credentials found"),
        ({}, None, {"consumer_key": "k"}, "consumer_secret is missing from the arguments"),
        ({"LRN_CONSUMER_SECRET": "s"}, None, {}, "consumer_key is missing from the environment"),
        (
            {"LRN_CONSUMER_KEY": "k", "LRN_CONSUMER_SECRET": ""},
            None,
            {},
            "consumer_secret is missing from",
        ),
        ({}, "research", {}, "profile 'research' not found in .*which has none"),
    ],
)
def test_what_is_missing_is_named(tmp_path, environment, profile, given, message):
    with pytest.raises(CredentialsError, match=message) as caught:
        find(environment | {"HOME": str(tmp_path)}, profile, **given)
    for way in ("consumer_key=", "LRN_CONSUMER_KEY", "profile", "sandbox.serve()"):
        assert way in str(caught.value)


def test_a_profile_without_its_secret(home):
    with pytest.raises(CredentialsError, match="consumer_secret is missing from profile 'half'"):
        find({"HOME": str(home)}, "half")


def test_a_broken_file_is_named_and_not_quoted(home):
    (home / ".learnosity" / "credentials").write_text("[default]\nmy-secret-without-a-name\n")
    with pytest.raises(CredentialsError, match="is not an INI file") as caught:
        find({"HOME": str(home)})
    assert "my-secret" not in repr(caught.value)
    # The parser's own error quotes the line.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_file_that_is_no_text_is_named(home):
    (home / ".learnosity" / "credentials").write_bytes(b"[default]\nconsumer_key=\xff\xfe")
    with pytest.raises(
        CredentialsError, match=r"credentials is not an INI file \(UnicodeDecodeError\)"
    ):
        find({"HOME": str(home)})


def test_a_file_that_cannot_be_read_is_named(home):
    with pytest.raises(CredentialsError, match=r"\.learnosity cannot be read: Is a directory"):
        find({"HOME": str(home), "LRN_CONFIG_FILE": str(home / ".learnosity")})


def test_a_file_that_was_named_has_to_be_there(home):
    with pytest.raises(CredentialsError, match="elsewhere not found"):
        find({"HOME": str(home), "LRN_SHARED_CREDENTIALS_FILE": str(home / "elsewhere")})


def test_a_byte_order_mark_is_no_part_of_a_file(home):
    (home / ".learnosity" / "credentials").write_text(
        "[default]\nconsumer_key=k\nconsumer_secret=s\n", encoding="utf-8-sig"
    )
    assert find({"HOME": str(home)}).consumer_key == "k"


@pytest.mark.parametrize(
    ("environment", "given"),
    [
        ({"LRN_CONSUMER_KEY": "k", "LRN_CONSUMER_SECRET": "s"}, {}),
        ({}, {"consumer_key": "k", "consumer_secret": "s"}),
    ],
)
def test_files_that_are_not_needed_are_not_read(home, environment, given):
    (home / ".learnosity" / "credentials").write_text("broken")
    (home / ".learnosity" / "config").write_text("[default]\nregion = au\n")
    found = find(environment | {"HOME": str(home)}, **given)
    assert (found.consumer_key, found.region) == ("k", None)


def test_a_profile_without_a_key_goes_with_the_key_of_the_environment(home):
    (home / ".learnosity" / "config").write_text("[europe]\nregion = ie\n")
    pair = {"HOME": str(home), "LRN_CONSUMER_KEY": "k", "LRN_CONSUMER_SECRET": "s"}
    found = find(pair | {"LRN_PROFILE": "europe"})
    assert (found.consumer_key, found.region) == ("k", "ie")
    with pytest.raises(CredentialsError, match="profile 'asia' not found in"):
        find(pair | {"LRN_PROFILE": "asia"})
    with pytest.raises(CredentialsError, match="profile 'europe' not found in"):
        find(pair, "europe")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("consumer_key", "", "consumer_key of the arguments is empty: omit it, or pass"),
        ("consumer_secret", " ", "consumer_secret of the arguments is empty"),
        ("region", "", "region of the arguments is empty: omit it$"),
        ("consumer_key", "abcdef\n", "consumer_key of the arguments begins or ends with white"),
        (
            "consumer_secret",
            "abc\ndef",
            "consumer_secret of the arguments .* contains a line break",
        ),
        ("consumer_key", "abc def", "contains an invalid character"),
        ("consumer_key", "abcdéf", "contains an invalid character"),
        ("consumer_key", 123456, "consumer_key of the arguments is of type int: expects text"),
        ("version", 2026, "version of the arguments is of type int"),
    ],
)
def test_what_cannot_be_right_is_said_and_not_shown(tmp_path, name, value, message):
    environment = {
        "HOME": str(tmp_path),
        "LRN_CONSUMER_KEY": "another",
        "LRN_CONSUMER_SECRET": "another",
    }
    given = {"consumer_key": "k", "consumer_secret": "s"} | {name: value}
    with pytest.raises(CredentialsError, match=message) as caught:
        find(environment, **given)
    assert "abc" not in str(caught.value)
    assert "123456" not in str(caught.value)


def test_neither_key_nor_secret_is_in_a_repr(home):
    assert "default-" not in repr(find({"HOME": str(home)}))


PAIR = {"consumer_key": "k", "consumer_secret": "s"}


@pytest.mark.parametrize(
    ("region", "host"),
    [(None, "data"), ("VA", "data-va"), ("ie", "data-ie"), ("au", "data-au"), ("ca", "data-ca")],
)
def test_a_region_has_its_host(region, host):
    found = find({}, **PAIR, region=region)
    assert address(found) == f"https://{host}.learnosity.com/v2026.2.LTS"


@pytest.mark.parametrize("base_url", [None, "https://example.org"])
def test_an_unknown_region_is_an_error(base_url):
    with pytest.raises(QueryError, match="region is 'aus': did you mean 'au'"):
        address(find({}, **PAIR, region="aus"), base_url)


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("latest", "latest"),
        ("/v2027.9.preview1/", "v2027.9.preview1"),
        ("a b?c/d", "a%20b%3Fc%2Fd"),
    ],
)
def test_any_version_is_one_part_of_the_path(version, path):
    found = find({}, **PAIR, version=version)
    assert address(found, "https://example.org/") == f"https://example.org/{path}"


def test_another_environment_than_production_is_not_asked_by_mistake(home):
    (home / ".learnosity" / "config").write_text("[research]\nenvironment = staging\n")
    staging = find({"HOME": str(home)}, "research")
    with pytest.raises(CredentialsError, match=r"environment is 'staging'.*pass base_url="):
        address(staging)
    assert address(staging, "https://example.org") == "https://example.org/v2026.2.LTS"
    production = find({"HOME": str(home), "LRN_ENVIRONMENT": "production"}, **PAIR)
    assert address(production).startswith("https://data.learnosity.com/")
    with pytest.raises(CredentialsError, match="environment is 'vg'"):
        address(find({"HOME": str(home), "LRN_ENVIRONMENT": "vg"}, **PAIR))
