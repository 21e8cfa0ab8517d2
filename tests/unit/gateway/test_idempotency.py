"""What an owner is told a write by, so that it does it once: the same for a repeat, and for nothing else."""

from datetime import UTC, datetime
from uuid import UUID

from services.gateway.idempotency import Repeat, digest

AT = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
WRITE = Repeat(UUID(int=1), "key", digest("PUT", "/api/v1/calls/1/comment?", "application/json", b"{}"), AT)


def test_a_repeat_is_the_same_command_whenever_it_comes():
    assert WRITE._replace(at=AT.replace(hour=9)).command_id == WRITE.command_id


def test_another_write_under_the_key_another_key_and_another_owner_are_other_commands():
    others = [
        WRITE._replace(asked=digest("PUT", "/api/v1/calls/2/comment?", "application/json", b"{}")),
        WRITE._replace(key="yek"),
        WRITE._replace(owner=UUID(int=2)),
    ]
    assert len({one.command_id for one in [WRITE, *others]}) == 4
