"""The comment on one call: who may add, edit and delete it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.contracts.comments.events import CommentAdded, CommentDeleted, CommentEdited, CommentState
from shared.contracts.comments.text import comment_text
from shared.contracts.errors import Conflict, NotFound, Rejected
from shared.contracts.event import Event
from shared.contracts.values import Role

MAY_EDIT_ANY = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """`version` is the number of events. `author_id` is the account that added the comment."""

    version: int = 0
    text: str | None = None
    author_id: UUID | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    call_id: UUID
    author_id: UUID
    role: Role
    at: datetime

    def may_edit(self, comment: Comment) -> bool:
        return self.role in MAY_EDIT_ANY or self.author_id == comment.author_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteComment(_Command):
    """`seen`: the version that the author edited, 0 for no comment; None accepts any version."""

    text: str
    seen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteComment(_Command):
    pass


Command = WriteComment | DeleteComment
INITIAL = Comment()


def decide(comment: Comment, command: Command) -> list[Event]:
    """Decide which events a command causes.

    Raises Invalid for the text, Conflict when `seen` is not the latest version, NotFound, and Rejected.
    """
    match command:
        case WriteComment():
            return _write(comment, command, comment_text(command.text))
        case DeleteComment() if comment.text is None:
            raise NotFound
        case DeleteComment() if not command.may_edit(comment):
            raise Rejected("comment_of_another_author")
        case DeleteComment(call_id=call_id, author_id=author, at=at):
            return [CommentDeleted(call_id=call_id, author_id=author, deleted_at=at)]


def _write(comment: Comment, command: WriteComment, text: str) -> list[Event]:
    call_id, author, at = command.call_id, command.author_id, command.at
    if command.seen not in (None, _visible_version(comment)):
        raise Conflict("comment_changed")
    if comment.text is None:
        return [CommentAdded(call_id=call_id, text=text, author_id=author, added_at=at)]
    if not command.may_edit(comment):
        raise Rejected("comment_of_another_author")
    if text == comment.text:
        return []
    return [CommentEdited(call_id=call_id, text=text, author_id=author, edited_at=at)]


def _visible_version(comment: Comment) -> int:
    """The version as clients see it: 0 without a comment, also after one was deleted."""
    return 0 if comment.text is None else comment.version


def evolve(comment: Comment, event: Event) -> Comment:
    version = comment.version + 1
    match event:
        case CommentAdded(text=text, author_id=author, added_at=at):
            return Comment(version=version, text=text, author_id=author, created_at=at, updated_at=at)
        case CommentEdited(text=text, edited_at=at):
            return replace(comment, version=version, text=text, updated_at=at)
        case CommentDeleted():
            return Comment(version=version)
    return comment


def state(call_id: UUID, comment: Comment) -> CommentState:
    """The published state of the comment."""
    return CommentState(
        call_id=call_id,
        text=comment.text,
        author_id=comment.author_id,
        created_at=comment.created_at,
        updated_at=comment.updated_at,
    )
