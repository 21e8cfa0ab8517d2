"""Calls at a real Asterisk: each comes to the row that the people at the phones would tell of."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.contracts.calls.events import CallState
from tests.asterisk import phones
from tests.asterisk.pbx import Pbx, root
from tests.asterisk.phones import Caller
from tests.support.infrastructure import ROOT, Broker, Service, Services, Stack, eventually
from tests.unit.feeds.exchange import TENANT, rows, shown

pytestmark = pytest.mark.asterisk

ALICE, ZOE, PROVIDER = Caller("alice"), Caller("zoe"), Caller("provider")
QUEUE = "calls.reports"


@pytest.fixture(scope="module")
def pbx() -> Iterator[Pbx]:
    with Pbx(root()).running() as running:
        running.phone("bob", phones.answers(0.5))
        running.phone("carol", phones.refuses("486 Busy Here"))
        running.phone("dave", phones.rings())
        running.phone("grace", phones.refuses("603 Decline"))
        running.phone("bob2", phones.answers_and_hangs_up(0.5, 1.5))
        yield running


@pytest.fixture
def journal(pbx: Pbx, stack: Stack, services: Services, broker: Broker, tmp_path: Path) -> "Journal":
    own = {"AMI_HOST": "127.0.0.1", "AMI_PORT": str(pbx.ami), "AMI_USER": "journal", "AMI_SECRET": "s3cret"}
    own |= {"AMI_TENANT": TENANT, "AMI_TRUNKS": "provider", "AMI_SPOOL": str(tmp_path / "spool")}
    environment = {**os.environ, **stack.env("calls"), **own, "PYTHONPATH": str(ROOT)}
    service = services.spawn([sys.executable, "-m", "services.asterisk"], environment, ready=False)
    eventually(lambda: b"logged in" in service.log.read_bytes(), seconds=20)
    return Journal(broker, service)


class Journal:
    def __init__(self, broker: Broker, service: Service) -> None:
        self._broker, self.service, self.reports = broker, service, list[dict]()

    def rows(self) -> list[CallState]:
        self.reports += [json.loads(message.body) for message in self._broker.take(QUEUE)]
        return rows(self.reports)

    def shows(self, *expected: str) -> None:
        """Once every call is over; a row is written as in `shown`, without seconds."""
        wanted = [[cell.strip() for cell in one.split("|")] for one in expected]
        eventually(lambda: len(self.rows()) >= len(wanted) and all(one.ended_at for one in self.rows()), seconds=40)
        assert sorted(cells(one) for one in self.rows()) == sorted(wanted)


def cells(row: CallState) -> list[str]:
    direction, who, status, rung, by, ended, _, recorded = (cell.strip() for cell in shown(row))
    return [direction, who, status, rung, by, ended, *filter(None, [recorded])]


def done(*calling) -> None:
    assert [phone.wait(40) for phone in calling] == [0] * len(calling)


def once(holds: Callable[[], bool]) -> None:
    eventually(holds, seconds=20, every=0.2)


def test_a_talk_that_the_caller_ends(pbx, journal):
    done(pbx.call("alice", "101", ALICE.talks(2)))
    journal.shows("internal | 1001 -> 101 | answered | rung 1002 | by 1002 | ended by caller | recorded")


def test_a_talk_that_the_callee_ends(pbx, journal):
    done(pbx.call("alice", "112", ALICE.talks(hangs_up=False)))
    journal.shows("internal | 1001 -> 112 | answered | rung 10010 | by 10010 | ended by callee")


def test_a_caller_who_loses_patience(pbx, journal):
    done(pbx.call("alice", "111", ALICE.cancels(1)))
    journal.shows("internal | 1001 -> 111 | cancelled | rung 1004 | by - | ended by caller")


def test_a_phone_that_nobody_takes_up(pbx, journal):
    pbx.call("alice", "103", ALICE.talks()).wait(20)
    journal.shows("internal | 1001 -> 103 | no_answer | rung 1004 | by - | ended by system")


def test_two_phones_that_refuse(pbx, journal):
    pbx.call("alice", "113", ALICE.talks()).wait(20)
    [row] = eventually(lambda: [one for one in journal.rows() if one.ended_at], seconds=20)
    assert (str(row.status), row.answered_by, str(row.ended_by)) == ("declined", [], "callee")


def test_a_phone_that_is_not_registered_and_one_that_is(pbx, journal):
    done(pbx.call("alice", "114", ALICE.talks(1)))
    journal.shows("internal | 1001 -> 114 | answered | rung 1002 | by 1002 | ended by caller")
    assert journal.rows()[0].offline == ["nobody"]


def test_who_redials_after_a_busy_tone_made_two_calls(pbx, journal):
    pbx.call("alice", "102", ALICE.talks()).wait(20)
    done(pbx.call("alice", "101", ALICE.talks(1)))
    journal.shows(
        "internal | 1001 -> 102 | declined, busy | rung - | by - | ended by callee",
        "internal | 1001 -> 101 | answered | rung 1002 | by 1002 | ended by caller | recorded",
    )


def test_a_menu_that_is_told_by_digits_whom_to_ring(pbx, journal):
    done(pbx.call("alice", "300", ALICE.talks(1, "1", 3)))
    journal.shows("internal | 1001 -> 300 | answered | rung 1002 | by 1002 | ended by caller | recorded")


def test_a_transfer_after_a_word_with_the_third(pbx, journal):
    calling = pbx.call("alice", "101", ALICE.talks(1.5, "*2", 0.7, "112", 1))
    done(calling)
    journal.shows("internal | 1001 -> 101 | answered | rung 10010, 1002 | by 1002, 10010 | ended by callee | recorded")


def test_a_transfer_without_a_word(pbx, journal):
    calling = pbx.call("alice", "101", ALICE.talks(1.5, "#1", 0.7, "112", 0.5, hangs_up=False))
    calling.wait(20)
    journal.shows("internal | 1001 -> 101 | answered | rung 10010, 1002 | by 1002, 10010 | ended by callee | recorded")


def test_a_call_that_another_phone_picks_up(pbx, journal):
    waiting = pbx.call("alice", "111", ALICE.talks(2))
    once(lambda: any(row.rung for row in journal.rows()))
    done(pbx.call("zoe", "*8", ZOE.talks(hangs_up=False)), waiting)
    journal.shows("internal | 1001 -> 111 | answered | rung 1004 | by 1009 | ended by caller")


def test_a_conference_is_a_row_for_each_who_called_it(pbx, journal):
    # Who comes first is told so by a voice, for two seconds, and is not in the conference before.
    first = pbx.call("alice", "500", ALICE.talks(8))
    once(lambda: pbx.channels() > 0)
    done(pbx.call("zoe", "500", ZOE.talks(4)), first)
    journal.shows(
        "internal | 1001 -> 500 | answered | rung - | by 1009 | ended by caller",
        "internal | 1009 -> 500 | answered | rung - | by 1001 | ended by caller",
    )


def test_a_call_that_the_exchange_makes_for_a_person(pbx, journal):
    pbx.say("channel originate PJSIP/bob2 extension 101@from-internal")
    journal.shows("internal | 10010 -> 101 | answered | rung 1002 | by 1002 | ended by caller | recorded")


def test_a_queue_from_outside_is_answered_by_a_person_and_not_by_itself(pbx, journal):
    done(pbx.call("provider", "0443303018", PROVIDER.talks(3)))
    [row] = eventually(lambda: [one for one in journal.rows() if one.ended_at], seconds=20)
    assert (str(row.direction), str(row.status), row.answered_by) == ("inbound", "answered", ["1002"])
    assert row.wait_time.total_seconds() >= 0.5


def test_a_call_from_outside_to_a_phone_that_is_off(pbx, journal):
    pbx.call("provider", "0443303019", PROVIDER.talks()).wait(20)
    [row] = eventually(lambda: [one for one in journal.rows() if one.ended_at], seconds=20)
    assert (str(row.status), row.offline) == ("missed_offline", ["nobody"])


def test_a_call_whose_line_is_full_of_calls(pbx, journal):
    pbx.phone("provider", phones.refuses("503 Service Unavailable"))
    pbx.call("alice", "0501234567", ALICE.talks()).wait(20)
    journal.shows("outbound | 1001 -> +380501234567 | no_channels | rung - | by - | ended by system")


def test_an_exchange_that_is_killed_in_the_middle_of_a_call(pbx, journal):
    pbx.call("alice", "101", ALICE.talks(60))
    once(lambda: any(row.answered_by for row in journal.rows()))
    pbx.kill()
    pbx.start()
    journal.shows("internal | 1001 -> 101 | network_error | rung 1002 | by 1002 | ended by system")
