"""Project the events of all owners into the journal's tables.

Every upsert is guarded by the version of the stream: a repeated or late message changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from psycopg import Connection

from services.gateway.domain.naming import fold
from services.gateway.journal import change_feed, heartbeats, price_due
from services.gateway.journal.change_feed import Key
from services.gateway.journal.heartbeats import HEARTBEAT
from shared.contracts.billing.events import ChargeState, Failure
from shared.contracts.billing.schemas import TariffSchema
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.comments.schemas import CommentStateSchema
from shared.contracts.errors import Invalid
from shared.contracts.recordings.schemas import RecordingStateSchema
from shared.contracts.topology import STREAM_OWNERS, stream_kind
from shared.contracts.validation import invalid
from shared.contracts.wire import EnvelopeSchema, Instant, Json
from shared.plumbing.cooperative import cooperatively
from shared.plumbing.database import as_rows

UPSERT_CALLS = """
    insert into journal (tenant, call_id, version, direction, status, phase, rule, reason, caller, caller_name, callee,
                         line, groups, rung, offline, answered_by, forwarded, ended_by, cause, sip, placed_at,
                         ringing_at, answered_at, ended_at, wait_time, talk_time, recorded, returned_by, correlation_id,
                         price_due_at)
    select * from json_to_recordset(%(rows)s) as call (
        tenant text, call_id uuid, version int, direction text, status text, phase text, rule text, reason text,
        caller text, caller_name text, callee text, line text, groups text[], rung text[], offline text[],
        answered_by text[], forwarded jsonb, ended_by text, cause smallint, sip smallint, placed_at timestamptz,
        ringing_at timestamptz, answered_at timestamptz, ended_at timestamptz, wait_time interval, talk_time interval,
        recorded boolean, returned_by uuid, correlation_id text, price_due_at timestamptz)
     order by tenant, call_id
        on conflict (tenant, call_id) do update
       set version = excluded.version, direction = excluded.direction, status = excluded.status,
           phase = excluded.phase, rule = excluded.rule, reason = excluded.reason, caller = excluded.caller,
           caller_name = excluded.caller_name, callee = excluded.callee, line = excluded.line,
           groups = excluded.groups, rung = excluded.rung, offline = excluded.offline,
           answered_by = excluded.answered_by, forwarded = excluded.forwarded, ended_by = excluded.ended_by,
           cause = excluded.cause, sip = excluded.sip, placed_at = excluded.placed_at,
           ringing_at = excluded.ringing_at, answered_at = excluded.answered_at, ended_at = excluded.ended_at,
           wait_time = excluded.wait_time, talk_time = excluded.talk_time, recorded = excluded.recorded,
           returned_by = excluded.returned_by, correlation_id = excluded.correlation_id,
           price_due_at = case when journal.ended_at = excluded.ended_at then journal.price_due_at
                               else excluded.price_due_at end
     where journal.version < excluded.version
    returning tenant, call_id::text
"""
PARTY_COLUMNS = """(
    tenant text, call_id uuid, address text, own boolean, placed_at timestamptz, direction text, status text,
    talk_time interval)
"""
DELETE_OLD_PARTIES = """
    delete from journal_parties as party
     using json_to_recordset(%(changed)s) as changed (tenant text, call_id uuid, addresses text[])
     where party.tenant = changed.tenant and party.call_id = changed.call_id
       and party.address <> all(changed.addresses)
"""
UPSERT_PARTIES = f"""
    insert into journal_parties as party (tenant, call_id, address, own, placed_at, direction, status, talk_time)
    select * from json_to_recordset(%(parties)s) as changed {PARTY_COLUMNS}
        on conflict (tenant, call_id, address) do update
       set own = excluded.own, placed_at = excluded.placed_at, direction = excluded.direction,
           status = excluded.status, talk_time = excluded.talk_time
     where (party.own, party.placed_at, party.direction, party.status, party.talk_time)
           is distinct from
           (excluded.own, excluded.placed_at, excluded.direction, excluded.status, excluded.talk_time)
"""
INSERT_NEW_ADDRESSES = f"""
    insert into journal_addresses (tenant, address)
    select distinct changed.tenant, changed.address
      from json_to_recordset(%(parties)s) as changed {PARTY_COLUMNS}
     where not exists (select from journal_addresses as known
                        where known.tenant = changed.tenant and known.address = changed.address)
     order by changed.tenant, changed.address
        on conflict do nothing
"""
UPSERT_COMMENTS = """
    insert into journal_comments (tenant, call_id, version, text, folded_text, author_id, created_at, updated_at)
    select * from json_to_recordset(%(rows)s) as comment (
        tenant text, call_id uuid, version int, text text, folded_text text, author_id uuid, created_at timestamptz,
        updated_at timestamptz)
     order by tenant, call_id
        on conflict (tenant, call_id) do update
       set version = excluded.version, text = excluded.text, folded_text = excluded.folded_text,
           author_id = excluded.author_id, created_at = excluded.created_at, updated_at = excluded.updated_at
     where journal_comments.version < excluded.version
    returning tenant, call_id::text
"""
UPSERT_PRICES = """
    insert into journal_prices (tenant, call_id, version, state, amount, currency, due_at, reason)
    select * from json_to_recordset(%(rows)s) as price (
        tenant text, call_id uuid, version int, state text, amount numeric, currency text, due_at timestamptz,
        reason text)
     order by tenant, call_id
        on conflict (tenant, call_id) do update
       set version = excluded.version, state = excluded.state, amount = excluded.amount, currency = excluded.currency,
           due_at = excluded.due_at, reason = excluded.reason
     where journal_prices.version < excluded.version
    returning tenant, call_id::text, xmax = 0
"""
# Only a changed status matters: that a recording was listened to does not change its entry.
UPSERT_RECORDINGS = """
    insert into journal_recordings as known (tenant, call_id, version, status, format, duration, size)
    select tenant, call_id, version, status, format, duration * interval '1 second', size
      from json_to_recordset(%(rows)s) as recording (
        tenant text, call_id uuid, version int, status text, format text, duration double precision, size bigint)
     order by tenant, call_id
        on conflict (tenant, call_id) do update
       set version = excluded.version, status = excluded.status, format = excluded.format,
           duration = excluded.duration, size = excluded.size
     where known.version < excluded.version and known.status <> excluded.status
    returning tenant, call_id::text
"""
ENVELOPE = EnvelopeSchema(only=("tenant", "stream", "version", "recorded_at", "correlation_id", "state"))
CALL, COMMENT, CHARGE, TARIFF, RECORDING = "call", "comment", "charge", "tariff", "recording"


class _PartialSchema(Schema):
    class Meta:
        unknown = EXCLUDE


class AmountSchema(_PartialSchema):
    amount = fields.Decimal(required=True, as_string=True)
    currency = fields.String(required=True)


class ChargeSummarySchema(_PartialSchema):
    """The fields of a charge that the journal uses. Validating the charge's lines too would take four times as long."""

    call_id = fields.UUID(required=True)
    state = fields.Enum(ChargeState, by_value=True, required=True)
    price = fields.Nested(AmountSchema, required=True, allow_none=True)
    due_at = Instant(required=True)
    reason = fields.Enum(Failure, by_value=True, required=True, allow_none=True)


BILLING_STATES = {CHARGE: ChargeSummarySchema(), TARIFF: TariffSchema()}
STATES = {
    CALL: CallStateSchema(),
    COMMENT: CommentStateSchema(),
    RECORDING: RecordingStateSchema(),
    **BILLING_STATES,
}
"""The schema of a stream's state by the kind of the stream. Tariffs and other kinds do not change the journal."""


class Message(Protocol):
    """A message of a subscription."""

    @property
    def body(self) -> Any: ...

    @property
    def key(self) -> str: ...


class ProjectionResult(NamedTuple):
    """The tenants whose journal changed, and the due times of the prices that are new in it."""

    tenants: set[str]
    first_prices: list[datetime]


def project(
    conn: Connection[Any], messages: Sequence[Message], price_delay: timedelta = price_due.DEFAULT_PRICE_DELAY
) -> ProjectionResult:
    """Write a batch of events and heartbeats to the journal's tables and the change feed.

    `price_delay` is for companies that have set none. Raises Invalid for a malformed message.
    """
    heartbeats.record(conn, [message.body for message in messages if message.key == HEARTBEAT])
    envelopes: dict[str, list[Json]] = {kind: [] for kind in STREAM_OWNERS}
    for envelope in cooperatively(_latest(message.body for message in messages if message.key != HEARTBEAT)):
        envelopes[_kind(envelope)].append(envelope)
    # A call is listed only once it is known who placed it and when.
    placed = [envelope for envelope in envelopes[CALL] if envelope["state"]["placed_at"]]
    due = price_due.predicted_due_at(conn, placed, price_delay)
    calls = [{**_row(envelope), "price_due_at": due_at} for envelope, due_at in zip(placed, due, strict=True)]
    comments = [_row(envelope) for envelope in envelopes[COMMENT]]
    prices = [_price(envelope) for envelope in envelopes[CHARGE]]
    recordings = [_row(envelope) for envelope in envelopes[RECORDING]]
    priced = _upsert_prices(conn, prices)
    changed = {*priced, *_upsert_calls(conn, calls), *_upsert_comments(conn, comments)}
    changed |= _upsert_recordings(conn, recordings)
    tenants = change_feed.assign_feed_numbers(conn, changed)
    first_prices = [datetime.fromisoformat(price["due_at"]) for price in prices if priced.get(_key(price))]
    return ProjectionResult(tenants, first_prices)


def upsert_comment(conn: Connection[Any], tenant: str, version: int, state: Json) -> set[str]:
    """Write the comment state from an RPC response, so that its author reads it at once on every gateway.

    Returns the tenants whose journal changed.
    """
    return change_feed.assign_feed_numbers(
        conn, _upsert_comments(conn, [{**state, "tenant": tenant, "version": version}])
    )


def upsert_recording(conn: Connection[Any], tenant: str, version: int, state: Json) -> set[str]:
    """Write the recording state from an RPC response; returns the tenants whose journal changed."""
    return change_feed.assign_feed_numbers(
        conn, _upsert_recordings(conn, [{**state, "tenant": tenant, "version": version}])
    )


def _latest(envelopes: Iterable[Any]) -> list[Json]:
    """The envelope with the highest version of each stream."""
    latest: dict[tuple[str, str], Json] = {}
    for body in cooperatively(envelopes):
        envelope = _load(ENVELOPE, body)
        key = envelope["tenant"], envelope["stream"]
        latest[key] = _newer(latest[key], envelope) if key in latest else envelope
    return list(latest.values())


def _newer(known: Json, envelope: Json) -> Json:
    """The newer of the two, with the earlier `recorded_at` if both have the same `ended_at`."""
    newer = max(known, envelope, key=itemgetter("version"))
    if known["state"].get("ended_at") == envelope["state"].get("ended_at"):
        return {**newer, "recorded_at": min(known["recorded_at"], envelope["recorded_at"])}
    return newer


def _kind(envelope: Json) -> str:
    """The kind of the stream. Raises Invalid for an unknown kind and for an invalid state."""
    kind = stream_kind(envelope["stream"])
    if kind not in STREAM_OWNERS:
        raise Invalid("unknown_stream", field="stream")
    if kind in STATES:
        _load(STATES[kind], envelope["state"])
    return kind


def _load(schema: Schema, payload: Any) -> Any:
    try:
        return schema.load(payload)
    except ValidationError as error:
        raise invalid(error) from error


def _row(envelope: Json) -> Json:
    added = {name: envelope[name] for name in ("tenant", "version", "correlation_id")}
    return {**envelope["state"], **added}


def _upsert_calls(conn: Connection[Any], rows: Sequence[Json]) -> set[Key]:
    """Upsert calls with their participants; returns the changed calls."""
    changed_calls = set(conn.execute(UPSERT_CALLS, {"rows": as_rows(rows)})) if rows else set()
    changed = [row for row in rows if _key(row) in changed_calls]
    if changed:
        parties = as_rows([party for row in changed for party in _party_rows(row)])
        written = {"parties": parties, "changed": as_rows([_changed_addresses(row) for row in changed])}
        for statement in (DELETE_OLD_PARTIES, UPSERT_PARTIES, INSERT_NEW_ADDRESSES):
            conn.execute(statement, written)
    return changed_calls


def _upsert_comments(conn: Connection[Any], rows: Sequence[Json]) -> set[Key]:
    """Returns the calls whose comment changed."""
    folded = [{**row, "folded_text": row["text"] and fold(row["text"])} for row in rows]
    return set(conn.execute(UPSERT_COMMENTS, {"rows": as_rows(folded)})) if rows else set()


def _price(envelope: Json) -> Json:
    price = envelope["state"]["price"] or {}
    return {**_row(envelope), "amount": price.get("amount"), "currency": price.get("currency")}


def _upsert_prices(conn: Connection[Any], rows: Sequence[Json]) -> dict[Key, bool]:
    """Returns the calls whose price changed, with whether it is their first price."""
    changed = conn.execute(UPSERT_PRICES, {"rows": as_rows(rows)}) if rows else ()
    return {(tenant, call_id): first for tenant, call_id, first in changed}


def _upsert_recordings(conn: Connection[Any], rows: Sequence[Json]) -> set[Key]:
    """Returns the calls whose recording was added or deleted."""
    return set(conn.execute(UPSERT_RECORDINGS, {"rows": as_rows(rows)})) if rows else set()


def _key(row: Json) -> Key:
    return row["tenant"], row["call_id"]


def _changed_addresses(row: Json) -> Json:
    return {"tenant": row["tenant"], "call_id": row["call_id"], "addresses": sorted(_participants(row))}


def _party_rows(row: Json) -> list[Json]:
    own = _own_participants(row)
    columns = {name: row[name] for name in ("tenant", "call_id", "placed_at", "direction", "status", "talk_time")}
    return [{**columns, "address": address, "own": address in own} for address in sorted(_participants(row))]


def _own_participants(row: Json) -> set[str]:
    return {row["caller"], *row["rung"], *row["answered_by"]}


def _participants(row: Json) -> set[str]:
    return (_own_participants(row) | {row["callee"], *(leg["to"] for leg in row["forwarded"])}) - {""}
