"""The columns of a journal row: a call with its comment, price and recording."""

from datetime import datetime
from typing import NamedTuple

from shared.contracts.wire import Json

INSTANT = """to_char({0} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
SECONDS = "extract(epoch from {0})::text"
COMMENT = f"""
    (select json_build_object(
                'text', comment.text,
                'author', json_build_object('account_id', comment.author_id, 'name', coalesce(author.name, '')),
                'created_at', {INSTANT.format("comment.created_at")},
                'updated_at', {INSTANT.format("comment.updated_at")},
                'version', comment.version)
       from journal_comments as comment
       left join accounts as author on author.id = comment.author_id
      where comment.tenant = journal.tenant and comment.call_id = journal.call_id and comment.text is not null)
"""
PRICE = f"""
    (select json_build_object(
                'state', price.state,
                'amount', price.amount::text,
                'currency', price.currency,
                'due_at', {INSTANT.format("price.due_at")},
                'reason', price.reason)
       from journal_prices as price
      where price.tenant = journal.tenant and price.call_id = journal.call_id)
"""
RECORDING = f"""
    (select json_build_object(
                'state', recording.status,
                'duration_seconds', {SECONDS.format("recording.duration")},
                'format', recording.format,
                'size', recording.size)
       from journal_recordings as recording
      where recording.tenant = journal.tenant and recording.call_id = journal.call_id)
"""
COLUMNS = f"""
    journal.call_id::text, journal.direction, journal.status, journal.phase, journal.rule, journal.reason,
    journal.caller, journal.caller_name, journal.callee, journal.line, journal.rung, journal.offline,
    journal.answered_by, journal.ended_by, journal.cause, journal.returned_by::text, journal.placed_at,
    {INSTANT.format("journal.placed_at")}, {INSTANT.format("journal.ringing_at")},
    {INSTANT.format("journal.answered_at")}, {INSTANT.format("journal.ended_at")},
    {SECONDS.format("journal.wait_time")}, {SECONDS.format("journal.talk_time")}, {COMMENT},
    {PRICE}, {INSTANT.format("journal.price_due_at")}, {RECORDING}
"""


class Row(NamedTuple):
    """A call of the journal. Postgres formats ids, instants and seconds; that is several times faster than Python."""

    call_id: str
    direction: str
    status: str
    phase: str
    rule: str
    reason: str | None
    caller: str
    caller_name: str | None
    callee: str
    line: str | None
    rung: list[str]
    offline: list[str]
    answered_by: list[str]
    ended_by: str | None
    cause: int | None
    returned_by: str | None
    at: datetime
    placed_at: str
    ringing_at: str | None
    answered_at: str | None
    ended_at: str | None
    wait_seconds: str | None
    talk_seconds: str | None
    comment: Json | None
    price: Json | None
    price_due_at: str | None
    recording: Json | None
