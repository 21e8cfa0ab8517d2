"""Spans of time as the viewer means them, and what a searched text may stand for."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.filters import Period, SearchText, beginning, parse_search_text, span_of

KYIV = ZoneInfo("Europe/Kyiv")
BEIRUT = ZoneInfo("Asia/Beirut")


def kyiv(*when: int) -> datetime:
    return datetime(*when, tzinfo=KYIV)  # type: ignore[arg-type,misc]


def hours(span: tuple[datetime, datetime]) -> float:
    return (span[1] - span[0]) / timedelta(hours=1)


def test_today_is_the_viewers_day_from_midnight_to_midnight():
    assert span_of(Period.TODAY, kyiv(2026, 11, 22, 13), KYIV) == (kyiv(2026, 11, 22), kyiv(2026, 11, 23))


def test_one_instant_is_in_different_days_of_different_viewers():
    now = datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert span_of(Period.TODAY, now, KYIV)[0] == kyiv(2026, 11, 23)
    assert span_of(Period.TODAY, now, ZoneInfo("UTC"))[0] == datetime(2026, 11, 22, tzinfo=UTC)


def test_a_day_begins_at_its_midnight_and_ends_before_the_next():
    first, after = span_of(Period.TODAY, kyiv(2026, 11, 22), KYIV)
    assert first == kyiv(2026, 11, 22)
    assert span_of(Period.TODAY, after, KYIV)[0] == after


@pytest.mark.parametrize(("day", "length"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)])
def test_a_day_is_as_long_as_the_clocks_make_it(day, length):
    assert hours(span_of(Period.TODAY, kyiv(*day, 12), KYIV)) == length


@pytest.mark.parametrize(("day", "length"), [((2026, 3, 30), 23), ((2026, 10, 26), 25)])
def test_yesterday_is_as_long_as_it_was(day, length):
    assert hours(span_of(Period.YESTERDAY, kyiv(*day, 12), KYIV)) == length


def test_in_the_hour_that_comes_twice_it_is_still_today():
    twice = kyiv(2026, 10, 25, 3, 30)
    assert span_of(Period.TODAY, twice, KYIV) == span_of(Period.TODAY, twice.replace(fold=1), KYIV)


def test_a_day_whose_midnight_does_not_exist_begins_where_the_clocks_were_put_forward():
    first, _ = span_of(Period.TODAY, datetime(2026, 3, 29, 12, tzinfo=BEIRUT), BEIRUT)
    assert first == datetime(2026, 3, 28, 22, tzinfo=UTC)


@pytest.mark.parametrize(("period", "days"), [(Period.WEEK, 7), (Period.MONTH, 30)])
def test_a_week_and_a_month_are_the_last_days_ending_today(period, days):
    first, after = span_of(period, kyiv(2026, 11, 22, 13), KYIV)
    assert after == kyiv(2026, 11, 23)
    assert first.astimezone(KYIV).date() == date(2026, 11, 22) - timedelta(days=days - 1)


@given(
    st.timedeltas(timedelta(0), timedelta(days=50_000)).map(datetime(1971, 1, 1, tzinfo=UTC).__add__),
    st.sampled_from(["Europe/Kyiv", "UTC", "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_now_is_always_today_and_yesterday_ends_where_today_begins(now, zone):
    viewer = ZoneInfo(zone)
    first, after = span_of(Period.TODAY, now, viewer)
    assert first <= now < after
    assert span_of(Period.YESTERDAY, now, viewer)[1] == first


def test_an_instant_is_taken_as_it_is():
    assert beginning(kyiv(2026, 11, 22, 8, 15), KYIV) == kyiv(2026, 11, 22, 8, 15)


@pytest.mark.parametrize("written", ["050 111-22-33", "(050) 1112233", "80501112233", "+380 50 111 22 33"])
def test_a_number_is_looked_for_however_it_is_written(written):
    assert parse_search_text(written, "UA").address == "+380501112233"


@pytest.mark.parametrize(("written", "part"), [("111-22", "11122"), ("050 11", "05011"), ("101", "101")])
def test_part_of_a_number_is_looked_for_without_its_marks(written, part):
    assert parse_search_text(written, "UA").address == part


@pytest.mark.parametrize("written", ["Зінов’єва", "ЗІНОВʼЄВА", " зінов'єва "])
def test_a_name_is_looked_for_in_any_case_and_with_any_apostrophe(written):
    assert parse_search_text(written, "UA").name == "зінов'єва"


def test_a_text_may_be_part_of_a_name_or_of_an_address():
    assert parse_search_text("Sip:Olha@pbx", "UA") == SearchText("sip:olha@pbx", "sip:olha@pbx")
