"""Who is who in an entry: domain.md's rules of names, and the states that nobody has told of yet."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.gateway.directory.repository import Holder, Names
from services.gateway.journal import entries
from services.gateway.journal.rows import Row
from services.gateway.journal.schemas import EntrySchema

AT = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
OLHA, PETRO = UUID(int=1), UUID(int=2)
NUMBER, COMPANY = "+380501112233", "+380443303018"
NAMES = Names(
    {
        "101": [Holder(None, AT, PETRO, "Петро Вовк"), Holder(AT, None, OLHA, "Ольга Кобилянська")],
        "102": [Holder(None, None, PETRO, "Петро Вовк")],
    },
    {NUMBER: "Катерина Власова", "102": "Стара назва", COMPANY: "Компанія"},
)
INBOUND = Row(
    call_id=str(UUID(int=9)),
    direction="inbound",
    status="answered",
    phase="ended",
    rule="answered_by_party",
    reason=None,
    caller=NUMBER,
    caller_name=None,
    callee=COMPANY,
    line=COMPANY,
    rung=["102", "101"],
    offline=[],
    answered_by=["101"],
    ended_by="callee",
    cause=16,
    returned_by=None,
    at=AT,
    placed_at="2026-11-22T08:15:00.000000Z",
    ringing_at="2026-11-22T08:15:02.000000Z",
    answered_at="2026-11-22T08:15:06.000000Z",
    ended_at="2026-11-22T08:15:18.000000Z",
    wait_seconds="6.000000",
    talk_seconds="12.345678",
    comment=None,
    price=None,
    price_due_at="2026-11-22T08:20:18.000000Z",
    recording=None,
)


def entry(**changed: Any) -> Any:
    return entries.build_entry(INBOUND._replace(**changed), NAMES)


def shown(party: Any) -> tuple[Any, ...]:
    return party["address"], party["name"], party["kind"]


def test_a_contact_is_shown_by_name_and_number():
    assert shown(entry()["caller"]) == (NUMBER, "Катерина Власова", "contact")


def test_an_employees_line_comes_before_a_contact():
    caller = entry(direction="outbound", caller="102")["caller"]
    assert shown(caller) == ("102", "Петро Вовк", "employee")
    assert caller["account_id"] == str(PETRO)


def test_a_contact_comes_before_what_the_exchange_says():
    assert entry(caller_name="KATERYNA")["caller"]["name"] == "Катерина Власова"


def test_a_number_nobody_knows_has_the_name_that_the_exchange_says():
    assert shown(entry(caller="+380670000000", caller_name="ФОП Гук")["caller"]) == (
        "+380670000000",
        "ФОП Гук",
        "number",
    )


def test_a_number_nobody_knows_stands_alone():
    assert shown(entry(caller="+380670000000")["caller"]) == ("+380670000000", None, "number")


@pytest.mark.parametrize("address", ["sip:olha@pbx", "sips:olha@pbx", "olha@pbx.example"])
def test_a_sip_address_stands_alone(address):
    assert shown(entry(caller=address)["caller"]) == (address, None, "sip")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anonymous",
        "Anonymous",
        "unknown",
        "restricted",
        "unavailable",
        "private",
        "sip:anonymous@anonymous.invalid",
    ],
)
def test_a_withheld_number_is_nobodys_whatever_name_comes_with_it(address):
    assert shown(entry(caller=address, caller_name="Anonymous")["caller"]) == (address, None, "withheld")


def test_a_line_is_shown_by_who_held_it_when_the_call_was_placed():
    before = AT - timedelta(microseconds=1)
    assert entry()["answered_by"]["name"] == "Ольга Кобилянська"
    assert entry(at=before)["answered_by"]["name"] == "Петро Вовк"


def test_the_employee_who_answered_stands_over_the_number_that_was_dialled():
    callee = entry()["callee"]
    assert shown(callee) == (COMPANY, "Ольга Кобилянська", "employee")
    assert callee["account_id"] == str(OLHA)


def test_the_only_one_rung_stands_over_the_number_of_a_call_nobody_answered():
    assert shown(entry(answered_by=[], rung=["102"])["callee"]) == (COMPANY, "Петро Вовк", "employee")


def test_of_several_rung_none_stands_over_the_number():
    assert shown(entry(answered_by=[])["callee"]) == (COMPANY, "Компанія", "contact")


def test_who_was_rung_does_not_stand_for_somebody_else_who_answered():
    assert shown(entry(answered_by=["777"], rung=["102"])["callee"]) == (COMPANY, "Компанія", "contact")


@pytest.mark.parametrize("direction", ["outbound", "internal"])
def test_only_an_inbound_callee_takes_the_name_of_who_answered(direction):
    callee = entry(direction=direction, callee="102", answered_by=["101"])["callee"]
    assert shown(callee) == ("102", "Петро Вовк", "employee")


def test_who_answered_and_who_was_rung_are_said_in_full():
    assert shown(entry()["answered_by"]) == ("101", "Ольга Кобилянська", "employee")
    assert entry()["rung"] == ["102", "101"]
    assert entry(answered_by=[])["answered_by"] is None


def test_every_address_whose_name_is_shown_is_asked_for():
    assert entries.named_addresses([INBOUND, INBOUND._replace(answered_by=[], rung=["103"])]) >= {
        NUMBER,
        COMPANY,
        "101",
        "103",
    }


def test_seconds_are_exact_and_have_milliseconds_at_least():
    assert (entry()["wait_seconds"], entry()["talk_seconds"]) == ("6.000", "12.345678")
    assert entry(wait_seconds=None, talk_seconds=None)["wait_seconds"] is None


@pytest.mark.parametrize("phase", ["connecting", "ringing", "talking"])
def test_a_price_is_not_due_while_the_call_lives(phase):
    price = entry(phase=phase, ended_at=None, price_due_at=None)["price"]
    assert (price["state"], price["due_at"]) == ("not_due", None)


def test_a_price_is_pending_until_its_delay_after_the_end():
    price = entry()["price"]
    assert (price["state"], price["due_at"], price["amount"]) == ("pending", "2026-11-22T08:20:18.000000Z", None)


def test_a_price_that_billing_has_told_of_is_shown_as_it_is():
    told = {"state": "failed", "amount": None, "currency": None, "due_at": "2026-11-22T08:20:18.000000Z"}
    assert entry(price={**told, "reason": "no_rate"})["price"] == {**told, "reason": "no_rate"}


def test_what_nobody_has_told_of_is_said_to_be_none():
    assert entry()["comment"] is None
    assert entry()["recording"]["state"] == "none"


@pytest.mark.parametrize(
    "changed",
    [{}, {"answered_by": [], "answered_at": None, "talk_seconds": None}, {"ended_at": None, "phase": "talking"}],
)
def test_an_entry_is_what_its_schema_says(changed):
    made = entry(**changed)
    assert EntrySchema().validate(made) == {}
    assert list(made) == list(EntrySchema().fields)
