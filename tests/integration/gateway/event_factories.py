"""Build messages of calls, comments and recordings as the projector receives them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from psycopg.rows import dict_row

from services.gateway.journal import projections
from shared.contracts.calls.events import CallGivenUp, CallState
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.comments.events import CommentDeleted, CommentState
from shared.contracts.comments.schemas import CommentStateSchema
from shared.contracts.event import Recorded
from shared.contracts.recordings.events import Format, RecordingListened, RecordingState
from shared.contracts.recordings.events import Status as RecordingStatus
from shared.contracts.recordings.schemas import RecordingStateSchema
from shared.contracts.values import Direction, EndedBy, Phase, Status
from shared.contracts.wire import encode, message
from shared.plumbing.database import Postgres

TENANT = "oselia"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
AUTHOR = UUID(int=77)
COMPANY, NUMBER = "+380443303018", "+380501112233"


class Message(NamedTuple):
    body: Any
    key: str


def call_id(name: str | int) -> UUID:
    return uuid5(NAMESPACE_URL, str(name))


def state(name: str | int = 0, **changed: Any) -> CallState:
    """A call from NUMBER that 101 answered and ended after a minute."""
    placed_at = changed.get("placed_at", NOON)
    at = placed_at or NOON
    defaults: dict[str, Any] = {
        "call_id": call_id(name),
        "direction": Direction.INBOUND,
        "status": Status.ANSWERED,
        "phase": Phase.ENDED,
        "rule": "answered_by_party",
        "reason": None,
        "caller": NUMBER,
        "caller_name": None,
        "callee": COMPANY,
        "line": COMPANY,
        "groups": [],
        "rung": ["101"],
        "offline": [],
        "answered_by": ["101"],
        "forwarded": [],
        "ended_by": EndedBy.CALLEE,
        "cause": 16,
        "sip": None,
        "placed_at": placed_at,
        "ringing_at": at + timedelta(seconds=2),
        "answered_at": at + timedelta(seconds=6),
        "ended_at": at + timedelta(seconds=66),
        "wait_time": timedelta(seconds=6),
        "talk_time": timedelta(seconds=60),
        "recorded": False,
        "returned_by": None,
    }
    return CallState(**{**defaults, **changed})


def call_message(call: CallState, version: int = 1, tenant: str = TENANT, recorded_at: datetime = NOON) -> Message:
    event = CallGivenUp(call_id=call.call_id, at=NOON)
    recorded = Recorded(
        id=uuid4(),
        tenant=tenant,
        stream=f"call-{call.call_id}",
        version=version,
        recorded_at=recorded_at,
        correlation_id=f"about {version}",
        event=event,
    )
    return Message(message(recorded, encode(event), CallStateSchema().dump(call)), "call_given_up")


def comment_message(
    name: str | int, text: str | None, version: int = 1, tenant: str = TENANT, author_id: UUID = AUTHOR
) -> Message:
    """A message about the comment of a call; `text` None: the comment is deleted."""
    exists = text is not None
    comment = CommentState(
        call_id=call_id(name),
        text=text,
        author_id=author_id if exists else None,
        created_at=NOON if exists else None,
        updated_at=NOON + timedelta(minutes=version) if exists else None,
    )
    event = CommentDeleted(call_id=comment.call_id, author_id=author_id, deleted_at=NOON)
    recorded = Recorded(
        id=uuid4(),
        tenant=tenant,
        stream=f"comment-{comment.call_id}",
        version=version,
        recorded_at=NOON,
        correlation_id=f"about {version}",
        event=event,
    )
    return Message(message(recorded, encode(event), CommentStateSchema().dump(comment)), "comment_deleted")


def recording_message(name: str | int, status: str = "available", version: int = 1, tenant: str = TENANT) -> Message:
    """A message about the recording of a call."""
    id_ = call_id(name)
    recording = RecordingState(
        call_id=id_,
        status=RecordingStatus(status),
        format=Format.WAV,
        duration=timedelta(seconds=11.2),
        size=179244,
        sha256="0" * 64,
        stored_at=NOON,
        deleted_at=NOON if status == "deleted" else None,
    )
    event = RecordingListened(call_id=id_, account_id=AUTHOR, listened_at=NOON)
    recorded = Recorded(
        id=uuid4(),
        tenant=tenant,
        stream=f"recording-{id_}",
        version=version,
        recorded_at=NOON,
        correlation_id=f"about {version}",
        event=event,
    )
    return Message(message(recorded, encode(event), RecordingStateSchema().dump(recording)), "recording_listened")


def heartbeat_message(at: datetime, outbox_age: float = 0.0, owner: str = "calls") -> Message:
    return Message({"type": "heartbeat", "owner": owner, "outbox_age": outbox_age, "at": at.isoformat()}, "heartbeat")


def project_messages(db: Postgres, *messages: Message) -> None:
    with db.connection() as conn:
        projections.project(conn, messages)


def project_states(db: Postgres, states: Iterable[CallState], tenant: str = TENANT) -> None:
    project_messages(db, *(call_message(call, tenant=tenant) for call in states))


def rows(db: Postgres, table: str, order: str = "1, 2, 3") -> Sequence[dict[str, Any]]:
    with db.connection() as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"select * from {table} order by {order}").fetchall()  # type: ignore[arg-type]
