"""What was missed between two connections is looked up in the exchange's own records."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.asterisk import gap_recovery
from services.asterisk.gap_recovery import LOOKUP_DELAYS, Gap, GapRecovery
from shared.contracts.errors import Unavailable
from shared.feeds.asterisk.cdr_call import Exchange
from shared.plumbing import clock

LOST = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BACK = LOST + timedelta(minutes=5)
ROW = (
    '"","0671112233","101","in","""Ґалаґан"" <0671112233>","PJSIP/provider-1","PJSIP/bob-2","Dial","PJSIP/bob,20",'
    '"{start}","{start}","{end}",60,60,"ANSWERED","DOCUMENTATION","{key}",""\n'
)


def written(ended_at: datetime, number: int = 1, length: timedelta = timedelta(minutes=1)) -> tuple[str, str]:
    """(Key, row) of an inbound call that was answered at once; the exchange's wall clock is two hours ahead of UTC."""
    start, ahead = ended_at - length, timedelta(hours=2)
    key = f"{int(start.timestamp())}.{number}"
    return key, ROW.format(start=f"{start + ahead:%F %T}", end=f"{ended_at + ahead:%F %T}", key=key)


class Found:
    """An exchange's file of records, and what has been told of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.records = folder / "gaps", folder / "Master.csv"
        self.living: set[str] = set()
        self.told: list[dict[str, Any]] = []
        self.missed = self.begun()

    def begun(self) -> GapRecovery:
        exchange = Exchange(tenant="oselia", trunks=("provider",), phones={"bob": "101"})
        return GapRecovery(self.folder, self.records, exchange, self.living.__contains__)

    def schedule(self, heard: Sequence[str] = ()) -> None:
        self.missed.schedule(Gap(LOST, BACK, heard), BACK)

    def recover_due(self, after: timedelta) -> list[tuple[str, str]]:
        """(Call, type) of what is told `after` the connection came back."""
        self.told.clear()
        with clock.fixed(BACK + after):
            self.missed.recover_due(self.told.extend)
        return [(report["call"], report["type"]) for report in self.told]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    return Found(tmp_path)


def whole(key: str) -> list[tuple[str, str]]:
    return [(key, type_) for type_ in ("placed", "connecting", "ringing", "answered", "ended")]


def test_what_began_and_ended_unheard_is_told_whole(found: Found):
    key, row = written(LOST + timedelta(minutes=2))
    found.records.write_text(row)
    found.schedule()
    assert found.recover_due(LOOKUP_DELAYS[0]) == whole(key)
    assert found.told[-1]["at"] == "2026-11-22T10:02:00.999999Z"
    assert found.told[-2]["data"] == {"party": "101"}


def test_of_a_call_that_was_heard_before_only_what_came_meanwhile_is_told(found: Found):
    key, row = written(LOST + timedelta(minutes=2), length=timedelta(minutes=9))
    found.records.write_text(row)
    found.schedule(heard=[key])
    assert found.recover_due(LOOKUP_DELAYS[0]) == [(key, "answered"), (key, "ended")]


@pytest.mark.parametrize("ended_at", [LOST - timedelta(seconds=2), BACK + timedelta(seconds=2)])
def test_what_ended_while_somebody_listened_is_left_to_them(found: Found, ended_at: datetime):
    found.records.write_text(written(ended_at)[1])
    found.schedule()
    assert found.recover_due(LOOKUP_DELAYS[0]) == []


def test_a_call_that_goes_on_is_left_to_the_live_connection(found: Found):
    key, row = written(LOST + timedelta(minutes=2))
    found.records.write_text(row)
    found.living.add(key)
    found.schedule()
    assert found.recover_due(LOOKUP_DELAYS[0]) == []


def test_a_record_that_is_kept_back_is_found_later_and_then_no_more_is_looked_for(found: Found):
    found.records.write_text("")
    found.schedule()
    assert found.recover_due(LOOKUP_DELAYS[0]) == []
    key, row = written(LOST + timedelta(minutes=2))
    found.records.write_text(row)
    assert found.recover_due(LOOKUP_DELAYS[1] - timedelta(seconds=1)) == []
    assert found.recover_due(LOOKUP_DELAYS[1]) == whole(key)
    assert found.recover_due(LOOKUP_DELAYS[2]) == whole(key)
    assert list(found.folder.iterdir()) == []


def test_what_is_told_again_is_told_under_the_same_ids(found: Found):
    found.records.write_text(written(LOST + timedelta(minutes=2))[1])
    found.schedule()
    found.recover_due(LOOKUP_DELAYS[0])
    first = list(found.told)
    found.missed = found.begun()
    found.schedule()
    found.recover_due(LOOKUP_DELAYS[0])
    assert found.told == first != []


def test_while_the_broker_is_away_it_stays_due(found: Found):
    key, row = written(LOST + timedelta(minutes=2))
    found.records.write_text(row)
    found.schedule()

    def away(reports: list[dict[str, Any]]) -> None:
        raise Unavailable("broker_unavailable")

    with clock.fixed(BACK + LOOKUP_DELAYS[2]), pytest.raises(Unavailable):
        found.missed.recover_due(away)
    assert found.recover_due(LOOKUP_DELAYS[2]) == whole(key)


def test_a_record_that_cannot_be_borne_is_set_aside_and_costs_no_other(found: Found, monkeypatch, tmp_path: Path):
    wrong, right = written(LOST + timedelta(minutes=1), 1), written(LOST + timedelta(minutes=2), 2)
    found.records.write_text(wrong[1] + right[1])

    def translate(key: str, rows, exchange: Exchange):
        if key == wrong[0]:
            raise OverflowError("of a time")
        return translated(key, rows, exchange)

    translated = gap_recovery.translate
    monkeypatch.setattr(gap_recovery, "translate", translate)
    found.schedule()
    assert found.recover_due(LOOKUP_DELAYS[0]) == whole(right[0])
    assert wrong[0] in (tmp_path / "not-understood.ndjson").read_text()


def test_a_file_that_is_not_there_is_said_and_costs_nothing_else(found: Found, caplog: pytest.LogCaptureFixture):
    found.schedule()
    assert found.recover_due(LOOKUP_DELAYS[2]) == []
    assert "cannot read the records of the exchange" in caplog.text


def test_of_a_long_file_its_end_is_read_and_what_is_no_record_is_passed_over(found: Found, monkeypatch):
    monkeypatch.setattr(gap_recovery, "MAX_BYTES_READ", 1000)
    old, lost = written(LOST + timedelta(minutes=1), 1), written(LOST + timedelta(minutes=2), 2)
    found.records.write_text(old[1] * 50 + "what is this?\n" + lost[1])
    found.schedule()
    assert set(found.recover_due(LOOKUP_DELAYS[0])) == {*whole(old[0]), *whole(lost[0])}
    found.records.write_text(old[1] + "x" * 900 + "\n" + lost[1])
    found.missed = found.begun()
    assert found.recover_due(LOOKUP_DELAYS[0]) == whole(lost[0])


def test_a_table_with_a_head_is_read_by_it(found: Found):
    key, row = written(LOST + timedelta(minutes=2))
    names = (
        "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,"
        "disposition,amaflags,uniqueid,userfield\n"
    )
    found.records.write_text(names + row)
    found.schedule()
    assert found.recover_due(LOOKUP_DELAYS[0]) == whole(key)
