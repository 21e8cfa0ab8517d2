"""One function per command or heard message. Each is one transaction, which the caller opens."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.recordings import projections, queries
from services.recordings.domain import recording as domain
from services.recordings.domain.recording import Command, DeleteRecording, Download, Listen, Sound, StoreRecording
from shared.contracts.gateway import schemas as settings
from shared.contracts.recordings import schemas
from shared.contracts.recordings.events import Reason
from shared.contracts.wire import Json
from shared.plumbing import clock, commands, decider, logs
from shared.plumbing.database import Connection
from shared.plumbing.decider import Changed, CommandEnvelope
from shared.plumbing.resend import Resend

STATE = schemas.RecordingStateSchema()
SWEPT_AT_ONCE = 100


def keep(conn: Connection, tenant: str, call_id: UUID, object_id: UUID, sound: Sound) -> bool:
    """The object is the recording of the call from now on; False if the call has the very same bytes already.

    Raises Conflict for other bytes, Rejected when the recording was deleted, NotFound for a call of another company.
    """
    command = StoreRecording(call_id=call_id, object_id=object_id, sound=sound, at=clock.now())
    return bool(_execute(conn, tenant, command))


def delete(conn: Connection, command_id: UUID, tenant: str, call_id: UUID, account_id: UUID) -> Json:
    """Take the recording away for good: `{"version": 2, "state": {…}, "object_id": "…"}`. Raises NotFound."""
    command = DeleteRecording(call_id=call_id, account_id=account_id, reason=Reason.REQUEST, at=clock.now())

    def carry_out() -> Json:
        [change] = _execute(conn, tenant, command)
        object_id = str(change.after.stored.object_id)
        return {"version": change.version, "state": change.published, "object_id": object_id}

    return commands.once(conn, command_id, carry_out)


def note_listening(conn: Connection, tenant: str, call_id: UUID, account_id: UUID) -> None:
    """Raises NotFound when there is nothing to listen to."""
    _execute(conn, tenant, Listen(call_id=call_id, account_id=account_id, at=clock.now()))


def note_download(conn: Connection, tenant: str, call_id: UUID, account_id: UUID) -> None:
    """Raises NotFound when there is nothing to take away."""
    _execute(conn, tenant, Download(call_id=call_id, account_id=account_id, at=clock.now()))


def delete_kept_long_enough(conn: Connection) -> list[UUID]:
    """Delete some of what companies want kept no longer; the objects that nobody needs now."""
    at = clock.now()
    found = queries.kept_long_enough(conn, at, SWEPT_AT_ONCE)
    orders = [
        _order(tenant, DeleteRecording(call_id=call_id, account_id=None, reason=Reason.RETENTION, at=at))
        for tenant, call_id, _ in found
    ]
    projections.keep_recordings(conn, decider.execute(conn, domain, orders, describe) if orders else [])
    return [object_id for _, _, object_id in found]


def keep_settings(conn: Connection, heard: Sequence[Any]) -> None:
    """Remember what companies have set, in any order, any number of times."""
    projections.keep_settings(conn, settings.newest(heard))


def _execute(conn: Connection, tenant: str, command: Command) -> list[Changed]:
    queries.lock(conn, tenant, command.call_id)
    changes = decider.execute(conn, domain, [_order(tenant, command)], describe)
    projections.keep_recordings(conn, changes)
    return changes


def _order(tenant: str, command: Command) -> CommandEnvelope:
    stream = f"recording-{command.call_id}"
    return CommandEnvelope(tenant=tenant, stream=stream, command=command, correlation_id=logs.correlation_id())


def describe(stream: str, state: domain.Recording) -> Json:
    """What is published of a recording."""
    described: Json = STATE.dump(domain.state(state))
    return described


resend = Resend("recording", "recordings", domain, describe)
