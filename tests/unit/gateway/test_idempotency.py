"""What an owner is told a write by, so that it does it once: the same for a repeat, and for nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.gateway.http.idempotency import IdempotentRequest, digest

AT = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
WRITE = IdempotentRequest(UUID(int=1), "key", digest("PUT", "/api/v1/calls/1/comment?", "application/json", b"{}"), AT)


LATER = AT + timedelta(days=1)


def test_a_repeat_is_the_same_command_whenever_and_wherever_it_comes():
    kyiv = AT.astimezone(ZoneInfo("Europe/Kyiv"))
    assert WRITE._replace(at=AT.replace(hour=9)).command_id(kyiv) == WRITE.command_id(AT)


def test_the_same_write_under_a_key_that_was_forgotten_is_another_command():
    assert WRITE.command_id(LATER) != WRITE.command_id(AT)


def test_another_write_under_the_key_another_key_and_another_owner_are_other_commands():
    others = [
        WRITE._replace(request_digest=digest("PUT", "/api/v1/calls/2/comment?", "application/json", b"{}")),
        WRITE._replace(key="yek"),
        WRITE._replace(caller_id=UUID(int=2)),
    ]
    assert len({one.command_id(AT) for one in [WRITE, *others]}) == 4
