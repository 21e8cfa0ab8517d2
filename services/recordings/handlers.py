"""One function per command or consumed message. The caller opens the transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.recordings import projections, queries
from services.recordings.domain import recording as domain
from services.recordings.domain.recording import AudioFile, Command, DeleteRecording, Download, Listen, StoreRecording
from shared.contracts.gateway import schemas as settings
from shared.contracts.recordings import schemas
from shared.contracts.recordings.events import Reason
from shared.contracts.wire import Json
from shared.plumbing import clock, commands, decider, logs
from shared.plumbing.database import Connection
from shared.plumbing.decider import Changed, CommandEnvelope
from shared.plumbing.resend import Resend

STATE = schemas.RecordingStateSchema()
RETENTION_BATCH_SIZE = 100


def store_recording(conn: Connection, tenant: str, call_id: UUID, object_id: UUID, audio: AudioFile) -> bool:
    """Make the object the recording of the call; False if the call has a recording with the same bytes.

    Raises Conflict for other bytes, Rejected when the recording was deleted, NotFound for a call of another company.
    """
    command = StoreRecording(call_id=call_id, object_id=object_id, audio=audio, at=clock.now())
    return bool(_execute(conn, tenant, command))


def delete(conn: Connection, command_id: UUID, tenant: str, call_id: UUID, account_id: UUID) -> Json:
    """Delete the recording permanently: `{"version": 2, "state": {…}, "object_id": "…"}`. Raises NotFound."""
    command = DeleteRecording(call_id=call_id, account_id=account_id, reason=Reason.REQUEST, at=clock.now())

    def execute() -> Json:
        [change] = _execute(conn, tenant, command)
        object_id = str(change.after.stored.object_id)
        return {"version": change.version, "state": change.published, "object_id": object_id}

    return commands.once(conn, command_id, execute)


def record_listening(conn: Connection, tenant: str, call_id: UUID, account_id: UUID) -> None:
    """Record that an account played the recording. Raises NotFound."""
    _execute(conn, tenant, Listen(call_id=call_id, account_id=account_id, at=clock.now()))


def record_download(conn: Connection, tenant: str, call_id: UUID, account_id: UUID) -> None:
    """Record that an account downloaded the recording. Raises NotFound."""
    _execute(conn, tenant, Download(call_id=call_id, account_id=account_id, at=clock.now()))


def delete_expired(conn: Connection) -> list[UUID]:
    """Delete a batch of recordings older than the retention period of their company; the ids of their objects."""
    at = clock.now()
    expired = queries.expired(conn, at, RETENTION_BATCH_SIZE)
    envelopes = [
        _envelope(tenant, DeleteRecording(call_id=call_id, account_id=None, reason=Reason.RETENTION, at=at))
        for tenant, call_id, _ in expired
    ]
    projections.save_recordings(conn, decider.execute(conn, domain, envelopes, published_state) if envelopes else [])
    return [object_id for _, _, object_id in expired]


def save_settings(conn: Connection, messages: Sequence[Any]) -> None:
    """Save the settings of companies; messages may be repeated or out of order."""
    projections.save_settings(conn, settings.newest(messages))


def _execute(conn: Connection, tenant: str, command: Command) -> list[Changed]:
    queries.lock(conn, tenant, command.call_id)
    changes = decider.execute(conn, domain, [_envelope(tenant, command)], published_state)
    projections.save_recordings(conn, changes)
    return changes


def _envelope(tenant: str, command: Command) -> CommandEnvelope:
    stream = f"recording-{command.call_id}"
    return CommandEnvelope(tenant=tenant, stream=stream, command=command, correlation_id=logs.correlation_id())


def published_state(stream: str, state: domain.Recording) -> Json:
    """The published state of a recording."""
    published: Json = STATE.dump(domain.state(state))
    return published


resend = Resend("recording", "recordings", domain, published_state)
