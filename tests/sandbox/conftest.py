"""Requests to an embedded Data API over HTTP."""

import pytest
import requests

from sandbox_requests import signed, url


@pytest.fixture(scope="session")
def http():
    with requests.Session() as session:
        yield session


@pytest.fixture
def ask(http):
    """Send a signed request; gives the answer's meta and data."""

    def send(api, **request):
        answer = http.post(url(api), data=signed(request), timeout=10)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        return page["meta"], page["data"]

    return send


@pytest.fixture
def crawl(ask):
    """Follow the tokens to the empty page; gives the sessions' ids in order and the last token."""

    def walk(api, **request):
        found, token = [], request.pop("next", None)
        for _ in range(1000):
            meta, data = ask(api, **request, **({"next": token} if token else {}))
            if not data:
                return found, token
            assert len(data) == meta["records"] <= request.get("limit", 50)
            found += [session["session_id"] for session in data]
            token = meta["next"]
        raise AssertionError("the crawl does not end")

    return walk
