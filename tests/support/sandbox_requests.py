"""Records for an embedded Data API, and signed requests to it."""

import datetime as dt

from learnosity_sdk.request import Init

from lrnanalysis import sandbox

KEY, SECRET, DOMAIN = sandbox.CONSUMER_KEY, sandbox.CONSUMER_SECRET, sandbox.DOMAIN
EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z


def iso(seconds):
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record(number, **changes):
    """A session that started `number` minutes into 2026 and took half an hour."""
    started = EPOCH + 60 * number
    return {
        "session_id": f"s-{number}",
        "user_id": f"u-{number % 7}",
        "activity_id": f"a-{number % 3}",
        "status": "Completed",
        "dt_started": iso(started),
        "dt_completed": iso(started + 1800),
        "responses": [],
        "items": [],
        "metadata": {"max_time": 1500},
    } | changes


def url(api, path="/v2026.2.LTS/sessions/responses"):
    return f"{api.base_url}{path}"


def signed(request=None, action="get", secret=SECRET, **security):
    """Form fields as the SDK signs them; a security value of None is left out."""
    packet = {"consumer_key": KEY, "domain": DOMAIN} | security
    packet = {name: value for name, value in packet.items() if value is not None}
    return Init("data", packet, secret, {} if request is None else request, action).generate()
