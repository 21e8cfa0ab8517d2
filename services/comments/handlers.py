"""One function per command. The caller opens the transaction."""

from functools import partial
from uuid import UUID

from services.comments import projections, queries
from services.comments.domain import comment as domain
from services.comments.domain.comment import Command, DeleteComment, WriteComment
from shared.contracts.comments import schemas
from shared.contracts.errors import Conflict
from shared.contracts.values import Role
from shared.contracts.wire import Json
from shared.plumbing import clock, commands, decider, logs
from shared.plumbing.database import Connection
from shared.plumbing.decider import CommandEnvelope
from shared.plumbing.resend import Resend

STATE = schemas.CommentStateSchema()


def write(
    conn: Connection,
    command_id: UUID,
    tenant: str,
    call_id: UUID,
    author_id: UUID,
    role: Role,
    text: str,
    seen: int | None,
) -> Json:
    """Add the comment or edit it: `{"created": true, "version": 1, "state": {…}}`.

    Raises Conflict, with the current comment, when `seen` is not its version; Rejected; Invalid.
    """
    command = WriteComment(call_id=call_id, author_id=author_id, role=role, text=text, seen=seen, at=clock.now())
    return commands.once(conn, command_id, partial(_execute, conn, tenant, command))


def delete(conn: Connection, command_id: UUID, tenant: str, call_id: UUID, author_id: UUID, role: Role) -> Json:
    """Delete the comment; the result is like that of `write`. Raises NotFound and Rejected."""
    command = DeleteComment(call_id=call_id, author_id=author_id, role=role, at=clock.now())
    return commands.once(conn, command_id, partial(_execute, conn, tenant, command))


def _execute(conn: Connection, tenant: str, command: Command) -> Json:
    stream = f"comment-{command.call_id}"
    envelope = CommandEnvelope(tenant=tenant, stream=stream, command=command, correlation_id=logs.correlation_id())
    try:
        changes = decider.execute(conn, domain, [envelope], published_state)
    except Conflict as error:
        raise Conflict(error.code, current=queries.get(conn, tenant, command.call_id)) from error
    if not changes:
        return {"created": False, **(queries.get(conn, tenant, command.call_id) or {})}
    projections.save_comments(conn, changes)
    [change] = changes
    created = change.before.text is None and change.after.text is not None
    return {"created": created, "version": change.version, "state": change.published}


def published_state(stream: str, state: domain.Comment) -> Json:
    """The published state of a comment."""
    published: Json = STATE.dump(domain.state(UUID(stream.removeprefix("comment-")), state))
    return published


resend = Resend("comment", "comments", domain, published_state)
