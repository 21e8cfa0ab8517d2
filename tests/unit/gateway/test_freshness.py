"""How far behind the view says that it is."""

from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.domain.freshness import Heartbeat, freshness

NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


def after(seconds: float, outbox_age: float = 0.0) -> dict[str, Heartbeat]:
    return {"calls": Heartbeat(NOW - timedelta(seconds=seconds), outbox_age)}


def test_the_lag_is_the_silence_and_what_the_owner_had_still_to_tell():
    assert freshness(["calls"], after(0.5, outbox_age=2.25), NOW)["freshness"] == {"calls": 2.75}


@pytest.mark.parametrize(("silence", "degraded"), [(0, []), (5, []), (5.001, ["calls"]), (3600, ["calls"])])
def test_an_owner_is_away_after_five_seconds_of_silence(silence, degraded):
    assert freshness(["calls"], after(silence), NOW)["degraded"] == degraded


def test_an_owner_that_is_busy_but_speaks_is_not_away():
    assert freshness(["calls"], after(0.1, outbox_age=600), NOW)["degraded"] == []


def test_an_owner_never_heard_from_is_away_and_its_lag_is_not_known():
    assert freshness(["calls"], {}, NOW) == {"freshness": {"calls": None}, "degraded": ["calls"]}


def test_a_clock_that_is_ahead_does_not_make_news_of_the_future():
    assert freshness(["calls"], after(-3), NOW)["freshness"] == {"calls": 0.0}


def test_who_is_not_an_owner_is_not_spoken_of():
    assert freshness([], after(1), NOW) == {"freshness": {}, "degraded": []}
