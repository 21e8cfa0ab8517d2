"""What the owners tell, as rows of the journal. Shown twice it is shown once; late news changes nothing."""

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
from shared.contracts.wire import EnvelopeSchema, Instant, Json
from shared.plumbing.cooperative import cooperatively
from shared.plumbing.database import as_rows

SHOW_CALLS = """
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
PARTY = """(
    tenant text, call_id uuid, address text, own boolean, placed_at timestamptz, direction text, status text,
    talk_time interval)
"""
DROP_PARTIES = """
    delete from journal_parties as party
     using json_to_recordset(%(changed)s) as changed (tenant text, call_id uuid, addresses text[])
     where party.tenant = changed.tenant and party.call_id = changed.call_id
       and party.address <> all(changed.addresses)
"""
KEEP_PARTIES = f"""
    insert into journal_parties as party (tenant, call_id, address, own, placed_at, direction, status, talk_time)
    select * from json_to_recordset(%(parties)s) as kept {PARTY}
        on conflict (tenant, call_id, address) do update
       set own = excluded.own, placed_at = excluded.placed_at, direction = excluded.direction,
           status = excluded.status, talk_time = excluded.talk_time
     where (party.own, party.placed_at, party.direction, party.status, party.talk_time)
           is distinct from
           (excluded.own, excluded.placed_at, excluded.direction, excluded.status, excluded.talk_time)
"""
KEEP_ADDRESSES = f"""
    insert into journal_addresses (tenant, address)
    select distinct kept.tenant, kept.address
      from json_to_recordset(%(parties)s) as kept {PARTY}
     where not exists (select from journal_addresses as known
                        where known.tenant = kept.tenant and known.address = kept.address)
     order by kept.tenant, kept.address
        on conflict do nothing
"""
SHOW_COMMENTS = """
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
SHOW_PRICES = """
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
# That somebody listened changes nothing that is shown; a recording is stored once and deleted once, so none is missed.
SHOW_RECORDINGS = """
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


class _Part(Schema):
    class Meta:
        unknown = EXCLUDE


class AmountSchema(_Part):
    amount = fields.Decimal(required=True, as_string=True)
    currency = fields.String(required=True)


class ShownChargeSchema(_Part):
    """What the journal shows of a charge: to check its lines too, which it does not show, takes four times as long."""

    call_id = fields.UUID(required=True)
    state = fields.Enum(ChargeState, by_value=True, required=True)
    price = fields.Nested(AmountSchema, required=True, allow_none=True)
    due_at = Instant(required=True)
    reason = fields.Enum(Failure, by_value=True, required=True, allow_none=True)


BILLED = {CHARGE: ShownChargeSchema(), TARIFF: TariffSchema()}
STATES = {
    CALL: CallStateSchema(),
    COMMENT: CommentStateSchema(),
    RECORDING: RecordingStateSchema(),
    **BILLED,
}
"""The schema of a stream's state, by the kind of the stream. Of tariffs, and of kinds that are not here, the journal
shows nothing."""


class Message(Protocol):
    """A message as the subscription hands it over."""

    @property
    def body(self) -> Any: ...

    @property
    def key(self) -> str: ...


class Shown(NamedTuple):
    """The tenants whose journal has changed, and when the prices were due that it shows for the first time."""

    tenants: set[str]
    first_prices: list[datetime]


def show(conn: Connection[Any], messages: Sequence[Message], price_delay: timedelta = price_due.INSTALLED) -> Shown:
    """Bring the journal up to date with what its owners say.

    `price_delay` is that of companies that have set none. Raises Invalid for what is malformed.
    """
    heartbeats.hear(conn, [message.body for message in messages if message.key == HEARTBEAT])
    told: dict[str, list[Json]] = {kind: [] for kind in STREAM_OWNERS}
    for envelope in cooperatively(_latest(message.body for message in messages if message.key != HEARTBEAT)):
        told[_kind(envelope)].append(envelope)
    # A call is shown from the moment when somebody is known to have placed it.
    placed = [envelope for envelope in told[CALL] if envelope["state"]["placed_at"]]
    due = price_due.foretold(conn, placed, price_delay)
    calls = [{**_row(envelope), "price_due_at": due_at} for envelope, due_at in zip(placed, due, strict=True)]
    comments = [_row(envelope) for envelope in told[COMMENT]]
    prices = [_price(envelope) for envelope in told[CHARGE]]
    recordings = [_row(envelope) for envelope in told[RECORDING]]
    priced = _show_prices(conn, prices)
    changed = {*_show_calls(conn, calls), *_show_comments(conn, comments), *priced, *_show_recordings(conn, recordings)}
    tenants = change_feed.number(conn, changed)
    return Shown(tenants, [datetime.fromisoformat(price["due_at"]) for price in prices if priced.get(_key(price))])


def show_comment(conn: Connection[Any], tenant: str, version: int, state: Json) -> set[str]:
    """Show a comment as its owner has just answered that it is; returns the tenants whose journal has changed.

    Who wrote it reads it at once, whichever gateway they ask.
    """
    return change_feed.number(conn, _show_comments(conn, [{**state, "tenant": tenant, "version": version}]))


def show_recording(conn: Connection[Any], tenant: str, version: int, state: Json) -> set[str]:
    """Show a recording as its owner has just answered that it is; returns as `show` does."""
    return change_feed.number(conn, _show_recordings(conn, [{**state, "tenant": tenant, "version": version}]))


def _latest(envelopes: Iterable[Any]) -> list[Json]:
    """Of each call the envelope with the highest version."""
    latest: dict[tuple[str, str], Json] = {}
    for sent in cooperatively(envelopes):
        envelope = _load(ENVELOPE, sent)
        call = envelope["tenant"], envelope["stream"]
        latest[call] = _newer(latest[call], envelope) if call in latest else envelope
    return list(latest.values())


def _newer(known: Json, envelope: Json) -> Json:
    """The newer of the two, recorded when the first was if they tell of the same end."""
    newer = max(known, envelope, key=itemgetter("version"))
    if known["state"].get("ended_at") == envelope["state"].get("ended_at"):
        return {**newer, "recorded_at": min(known["recorded_at"], envelope["recorded_at"])}
    return newer


def _kind(envelope: Json) -> str:
    """What a stream is of; its state is what its owner says it is. Raises Invalid."""
    kind = stream_kind(envelope["stream"])
    if kind not in STREAM_OWNERS:
        raise Invalid("Nobody here knows such streams.", {"stream": ["Unknown."]})
    if kind in STATES:
        _load(STATES[kind], envelope["state"])
    return kind


def _load(schema: Schema, sent: Any) -> Any:
    try:
        return schema.load(sent)
    except ValidationError as error:
        raise Invalid("The message is malformed.", error.normalized_messages()) from error  # type: ignore[no-untyped-call]


def _row(envelope: Json) -> Json:
    about = {"tenant": envelope["tenant"], "version": envelope["version"]}
    return {**envelope["state"], **about, "correlation_id": envelope["correlation_id"]}


def _show_calls(conn: Connection[Any], rows: Sequence[Json]) -> set[Key]:
    """Which calls have changed."""
    shown = set(conn.execute(SHOW_CALLS, {"rows": as_rows(rows)})) if rows else set()
    changed = [row for row in rows if _key(row) in shown]
    if changed:
        parties = as_rows([party for row in changed for party in _parties(row)])
        written = {"parties": parties, "changed": as_rows([_change(row) for row in changed])}
        for statement in (DROP_PARTIES, KEEP_PARTIES, KEEP_ADDRESSES):
            conn.execute(statement, written)
    return shown


def _show_comments(conn: Connection[Any], rows: Sequence[Json]) -> set[Key]:
    """Of which calls the comment has changed."""
    folded = [{**row, "folded_text": row["text"] and fold(row["text"])} for row in rows]
    return set(conn.execute(SHOW_COMMENTS, {"rows": as_rows(folded)})) if rows else set()


def _price(envelope: Json) -> Json:
    price = envelope["state"]["price"] or {}
    return {**_row(envelope), "amount": price.get("amount"), "currency": price.get("currency")}


def _show_prices(conn: Connection[Any], rows: Sequence[Json]) -> dict[Key, bool]:
    """Of which calls the price has changed, and whether it is the first one."""
    shown = conn.execute(SHOW_PRICES, {"rows": as_rows(rows)}) if rows else ()
    return {(tenant, call_id): first for tenant, call_id, first in shown}


def _show_recordings(conn: Connection[Any], rows: Sequence[Json]) -> set[Key]:
    """Of which calls the recording has come or gone."""
    return set(conn.execute(SHOW_RECORDINGS, {"rows": as_rows(rows)})) if rows else set()


def _key(row: Json) -> Key:
    return row["tenant"], row["call_id"]


def _change(row: Json) -> Json:
    return {"tenant": row["tenant"], "call_id": row["call_id"], "addresses": sorted(_took_part(row))}


def _parties(row: Json) -> list[Json]:
    own = _own(row)
    about = {name: row[name] for name in ("tenant", "call_id", "placed_at", "direction", "status", "talk_time")}
    return [{**about, "address": address, "own": address in own} for address in sorted(_took_part(row))]


def _own(row: Json) -> set[str]:
    return {row["caller"], *row["rung"], *row["answered_by"]}


def _took_part(row: Json) -> set[str]:
    return (_own(row) | {row["callee"], *(leg["to"] for leg in row["forwarded"])}) - {""}
