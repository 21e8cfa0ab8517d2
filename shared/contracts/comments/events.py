"""Facts about the comment on a call. Owned by services/comments."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAdded(Event):
    """A comment was added to a call without one."""

    call_id: UUID
    text: str
    author_id: UUID
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEdited(Event):
    """Somebody replaced the text of a call's comment."""

    call_id: UUID
    text: str
    author_id: UUID
    edited_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDeleted(Event):
    """Somebody took a call's comment away."""

    call_id: UUID
    author_id: UUID
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentState:
    """The comment on a call after its latest event. `author_id` is who added it; all None when there is none."""

    call_id: UUID
    text: str | None
    author_id: UUID | None
    created_at: datetime | None
    updated_at: datetime | None
