"""Conditions on who took part in a call. The scope, an account, a party and a search text each become one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from services.gateway.domain.filters import Filters, SearchText
from services.gateway.domain.people import Line
from services.gateway.domain.scope import Scope

TENURES = """
    unnest(%({name}_addresses)s::text[], %({name}_from)s::timestamptz[], %({name}_until)s::timestamptz[])
        as held (address, held_from, held_until)
"""
IN_TENURE = """
    it.placed_at >= coalesce(held.held_from, '-infinity') and it.placed_at < coalesce(held.held_until, 'infinity')
"""
PARTICIPANTS = """
    (select address, own
       from journal_parties
      where journal_parties.tenant = %(tenant)s and journal_parties.call_id = it.call_id
     offset 0) as party
"""
PARTICIPANT_CLAUSE = f"""
    exists (
        select from {PARTICIPANTS}
         where party.address = any(%({{name}}_addresses)s) and (party.own or not %({{name}}_own)s)
           and exists (select from {TENURES} where held.address = party.address and {IN_TENURE} offset 0)
        offset 0)
"""
IS_MATCHED_CALL = "it.call_id = any(%(text_calls)s)"
TEXT_CLAUSE = f"""
    (exists (
        select from {PARTICIPANTS}
         where lower(party.address) like %(address_part)s
            or exists (select from contacts
                        where contacts.tenant = %(tenant)s and contacts.number = party.address
                          and contacts.folded_name like %(name_part)s
                       offset 0)
            or exists (select from lines as held
                         join accounts on accounts.id = held.account_id
                        where held.tenant = %(tenant)s and held.address = party.address and {IN_TENURE}
                          and accounts.folded_name like %(name_part)s
                       offset 0)
        offset 0)
     or exists (
        select from journal_comments as comment
         where comment.tenant = %(tenant)s and comment.call_id = it.call_id and comment.folded_text like %(name_part)s
        offset 0))
"""
TEXT_MATCHES = """
    (select address, null::timestamptz, null::timestamptz, null::uuid
       from journal_addresses
      where tenant = %(tenant)s and lower(address) like %(address_part)s
      limit %(max_rows)s)
    union all
    (select number, null, null, null
       from contacts
       join journal_addresses on journal_addresses.tenant = contacts.tenant and address = number
      where contacts.tenant = %(tenant)s and folded_name like %(name_part)s
      limit %(max_rows)s)
    union all
    (select address, held_from, held_until, null
       from accounts
       join lines on lines.account_id = accounts.id
      where accounts.tenant = %(tenant)s and folded_name like %(name_part)s
      limit %(max_rows)s)
    union all
    (select null, null, null, call_id
       from journal_comments
      where tenant = %(tenant)s and folded_text like %(name_part)s
      limit %(max_rows)s)
"""
COUNT_CALLS = f"""
    select count(*)
      from (select from {TENURES}
             cross join lateral (
                select from journal_parties as it
                 where it.tenant = %(tenant)s and it.address = held.address
                 limit %(max_rows)s) as limited
             limit %(max_rows)s) as listed
"""
MAX_TEXT_MATCHES = 2000
"""Matching addresses and comments. Above this, the text is searched in each call instead of via its matches."""
MAX_CALLS_TO_LOOK_UP = 5_000
"""Below this number of calls, looking them up first is faster than starting from the caller's lines."""


class LineTenure(NamedTuple):
    """An address and the half-open period in which it counts; None leaves the period open on that side."""

    address: str
    held_from: datetime | None = None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantCondition:
    """At least one of `tenures` took part in the call; None: too many addresses match to list them.

    `name`: prefix of the SQL parameters. `own`: only as caller, by answering or by being rung.
    `calls`: calls that match without a participant, because their comment has the search text.
    """

    name: str
    tenures: Sequence[LineTenure] | None
    own: bool = False
    search: SearchText | None = None
    calls: Sequence[UUID] = ()

    @property
    def matches_nobody(self) -> bool:
        """Whether the condition can match no call at all."""
        return self.tenures is not None and not self.tenures and not self.calls

    @property
    def tenures_sql(self) -> str:
        return TENURES.format(name=self.name)

    @property
    def clause(self) -> str:
        if self.tenures is None:
            return TEXT_CLAUSE
        clause = PARTICIPANT_CLAUSE.format(name=self.name)
        return f"({IS_MATCHED_CALL} or {clause})" if self.calls else clause

    @property
    def parameters(self) -> dict[str, Any]:
        addresses, held_from, held_until = zip(*self.tenures, strict=True) if self.tenures else ((), (), ())
        columns = {
            "addresses": list(addresses),
            "from": list(held_from),
            "until": list(held_until),
            "own": self.own,
            "calls": list(self.calls),
        }
        return {f"{self.name}_{column}": value for column, value in columns.items()} | _parts(self.search)


def participant_conditions(conn: Connection[Any], scope: Scope, filters: Filters) -> list[ParticipantCondition]:
    """The conditions that follow from the scope and the filters. A call must meet all of them."""
    conditions = []
    if filters.party is not None:
        conditions.append(party_condition(filters.party))
    if filters.text is not None:
        conditions.append(_text_condition(conn, scope.tenant, filters.text))
    if filters.lines is not None:
        conditions.append(lines_condition("account", filters.lines))
    if scope.lines is not None:
        conditions.append(lines_condition("scope", scope.lines))
    return conditions


def most_selective(
    conn: Connection[Any], tenant: str, needed: Sequence[ParticipantCondition]
) -> ParticipantCondition | None:
    """The condition to look calls up by; the others are checked on each call. None: start from all calls.

    Prefers the caller's lines and participants with few calls.
    """
    named = [condition for condition in needed if condition.tenures is not None]
    if len(needed) < 2:
        return named[0] if named else None
    selective = (condition for condition in named if condition.own or _is_small(conn, tenant, condition))
    return next(selective, None) or (named[0] if named else None)


def party_condition(address: str) -> ParticipantCondition:
    return ParticipantCondition(name="party", tenures=[LineTenure(address)])


def lines_condition(name: str, lines: Sequence[Line]) -> ParticipantCondition:
    held = [LineTenure(line.address, line.held_from, line.held_until) for line in lines]
    return ParticipantCondition(name=name, tenures=held, own=True)


def _text_condition(conn: Connection[Any], tenant: str, search: SearchText) -> ParticipantCondition:
    values = {"tenant": tenant, "max_rows": MAX_TEXT_MATCHES + 1} | _parts(search)
    matches = conn.execute(TEXT_MATCHES, values).fetchall()
    if len(matches) > MAX_TEXT_MATCHES:
        return ParticipantCondition(name="text", tenures=None, search=search)
    tenures = [LineTenure(*tenure) for *tenure, call_id in matches if call_id is None]
    calls = [call_id for *_, call_id in matches if call_id is not None]
    return ParticipantCondition(name="text", tenures=tenures, search=search, calls=calls)


def _is_small(conn: Connection[Any], tenant: str, condition: ParticipantCondition) -> bool:
    values = {**condition.parameters, "tenant": tenant, "max_rows": MAX_CALLS_TO_LOOK_UP}
    (size,) = conn.execute(COUNT_CALLS.format(name=condition.name), values).fetchone() or (0,)
    return bool(size < MAX_CALLS_TO_LOOK_UP)


def _parts(search: SearchText | None) -> dict[str, Any]:
    return {f"{name}_part": _containing(part) for name, part in search._asdict().items()} if search else {}


def _containing(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
