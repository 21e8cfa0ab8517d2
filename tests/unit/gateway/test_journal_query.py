"""What may be asked of the journal, and how it is understood."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.datastructures import MultiDict

from services.gateway.domain.filters import Filters, Has
from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.http.schemas import load_query
from services.gateway.journal.request_filters import filters_from_query
from services.gateway.journal.schemas import JournalQuerySchema
from shared.contracts.errors import Invalid
from shared.contracts.values import Direction, Status

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VIEWER = ApiKey(id=uuid4(), tenant="oselia", kind=KeyKind.EXPORT, time_zone="Europe/Kyiv", region="UA")


def asked(*parameters: tuple[str, str]) -> Any:
    return load_query(JournalQuerySchema(), MultiDict(parameters).lists())


def filters(*parameters: tuple[str, str]) -> Filters:
    return filters_from_query(asked(*parameters), VIEWER, NOW)


def test_nothing_asked_is_nothing_filtered_and_fifty_a_page():
    assert filters() == Filters()
    assert asked()["limit"] == 50


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "-1"),
        ("limit", "many"),
        ("limit", "9" * 5000),
        ("period", "ever"),
        ("from", "yesterday"),
        ("from", "2026-02-30"),
        ("from", "2026-11-22T08:15:00"),
        ("from", "0001-01-01"),
        ("to", "22.11.2026"),
        ("direction", "sideways"),
        ("status", "lost"),
        ("phase", "over"),
        ("has", "everything"),
        ("account", "7"),
        ("party", ""),
        ("party", "x" * 257),
        ("q", ""),
        ("q", "   "),
        ("q", "x" * 101),
        ("q", "a\0b"),
        ("min_talk", "-1"),
        ("min_talk", "NaN"),
        ("max_talk", "1e30"),
        ("max_talk", "long"),
        ("unknown", "1"),
        ("offset", "50"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(name, value):
    with pytest.raises(Invalid) as refused:
        filters((name, value))
    assert [path.partition(".")[0] for path in refused.value.errors] == [name]


@pytest.mark.parametrize("name", ["limit", "period", "from", "party", "q", "cursor", "account", "unknown"])
def test_a_parameter_that_is_one_is_not_given_twice(name):
    with pytest.raises(Invalid) as refused:
        asked((name, "1"), (name, "1"))
    assert list(refused.value.errors) == [name]


def test_directions_statuses_and_phases_may_be_several():
    several = filters(("status", "missed"), ("status", "returned"), ("direction", "inbound"))
    assert several.statuses == {Status.MISSED, Status.RETURNED}
    assert several.directions == {Direction.INBOUND}


def test_several_has_are_all_wanted():
    assert filters(("has", "comment"), ("has", "callback")).has == {Has.COMMENT, Has.CALLBACK}


@pytest.mark.parametrize("bound", ["from", "to"])
def test_a_period_is_not_given_together_with_a_span(bound):
    with pytest.raises(Invalid) as refused:
        filters(("period", "today"), (bound, "2026-11-22"))
    assert list(refused.value.errors) == ["period"]


def test_a_day_begins_in_the_viewers_zone():
    span = filters(("from", "2026-11-22"), ("to", "2026-11-23"))
    assert span.placed_from == datetime(2026, 11, 21, 22, tzinfo=UTC)
    assert span.placed_to == datetime(2026, 11, 22, 22, tzinfo=UTC)


def test_an_instant_is_understood_with_its_offset():
    assert filters(("from", "2026-11-22T10:15:00+02:00")).placed_from == datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


def test_a_span_does_not_end_before_it_begins():
    with pytest.raises(Invalid) as refused:
        filters(("from", "2026-11-23"), ("to", "2026-11-22"))
    assert list(refused.value.errors) == ["to"]


def test_the_last_of_days_is_a_day_that_still_begins():
    assert asked(("to", "9999-12-31"))["placed_to"] == date(9999, 12, 30)


def test_a_period_is_the_viewers():
    assert filters(("period", "today")).placed_from == datetime(2026, 11, 21, 22, tzinfo=UTC)


def test_a_party_is_normalised_with_the_region():
    assert filters(("party", "050 111 22 33")).party == "+380501112233"
    assert filters(("party", "101")).party == "101"


def test_the_length_of_a_talk_may_have_a_fraction():
    assert filters(("min_talk", "0.5"), ("max_talk", "60")).min_talk == timedelta(milliseconds=500)
