"""Who took part in a call: the condition that scope, an account, a party and a searched text come down to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from services.gateway.domain.filters import Filters, Sought
from services.gateway.domain.people import Line
from services.gateway.domain.scope import Scope

HELD = """
    unnest(%({name}_addresses)s::text[], %({name}_from)s::timestamptz[], %({name}_until)s::timestamptz[])
        as held (address, held_from, held_until)
"""
IN_TENURE = """
    it.placed_at >= coalesce(held.held_from, '-infinity') and it.placed_at < coalesce(held.held_until, 'infinity')
"""
PARTIES = """
    (select address, own
       from journal_parties
      where journal_parties.tenant = %(tenant)s and journal_parties.call_id = it.call_id
     offset 0) as other
"""
PROBE = f"""
    exists (
        select from {PARTIES}
         where other.address = any(%({{name}}_addresses)s) and (other.own or not %({{name}}_own)s)
           and exists (select from {HELD} where held.address = other.address and {IN_TENURE} offset 0)
        offset 0)
"""
PROBE_CALLS = "it.call_id = any(%(text_calls)s)"
PROBE_TEXT = f"""
    (exists (
        select from {PARTIES}
         where lower(other.address) like %(address_part)s
            or exists (select from contacts
                        where contacts.tenant = %(tenant)s and contacts.number = other.address
                          and contacts.folded_name like %(name_part)s
                       offset 0)
            or exists (select from lines as held
                         join accounts on accounts.id = held.account_id
                        where held.tenant = %(tenant)s and held.address = other.address and {IN_TENURE}
                          and accounts.folded_name like %(name_part)s
                       offset 0)
        offset 0)
     or exists (
        select from journal_comments as comment
         where comment.tenant = %(tenant)s and comment.call_id = it.call_id and comment.folded_text like %(name_part)s
        offset 0))
"""
MATCHES = """
    (select address, null::timestamptz, null::timestamptz, null::uuid
       from journal_addresses
      where tenant = %(tenant)s and lower(address) like %(address_part)s
      limit %(most)s)
    union all
    (select number, null, null, null
       from contacts
       join journal_addresses on journal_addresses.tenant = contacts.tenant and address = number
      where contacts.tenant = %(tenant)s and folded_name like %(name_part)s
      limit %(most)s)
    union all
    (select address, held_from, held_until, null
       from accounts
       join lines on lines.account_id = accounts.id
      where accounts.tenant = %(tenant)s and folded_name like %(name_part)s
      limit %(most)s)
    union all
    (select null, null, null, call_id
       from journal_comments
      where tenant = %(tenant)s and folded_text like %(name_part)s
      limit %(most)s)
"""
SIZE = f"""
    select count(*)
      from (select from {HELD}
             cross join lateral (
                select from journal_parties as it
                 where it.tenant = %(tenant)s and it.address = held.address
                 limit %(most)s) as few
             limit %(most)s) as found
"""
MOST = 2000
"""Addresses and comments beyond which a text is looked for in each call rather than the calls of each looked up."""
FEW = 5_000
"""Calls that are sooner asked one by one than all those of somebody's lines."""


class Holding(NamedTuple):
    """An address, and between which instants it counts."""

    address: str
    held_from: datetime | None = None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """One of these took part. `own`: as caller, by answering or by being rung. `holdings` None: too many to name.

    `calls`: or it is one of these, whose comments have the text.
    """

    name: str
    holdings: Sequence[Holding] | None
    own: bool = False
    sought: Sought | None = None
    calls: Sequence[UUID] = ()

    @property
    def nobody(self) -> bool:
        """Nobody and no call is meant."""
        return self.holdings is not None and not self.holdings and not self.calls

    @property
    def held(self) -> str:
        return HELD.format(name=self.name)

    @property
    def probe(self) -> str:
        if self.holdings is None:
            return PROBE_TEXT
        probe = PROBE.format(name=self.name)
        return f"({PROBE_CALLS} or {probe})" if self.calls else probe

    @property
    def values(self) -> dict[str, Any]:
        addresses, held_from, held_until = zip(*self.holdings, strict=True) if self.holdings else ((), (), ())
        columns = {
            "addresses": list(addresses),
            "from": list(held_from),
            "until": list(held_until),
            "own": self.own,
            "calls": list(self.calls),
        }
        return {f"{self.name}_{column}": value for column, value in columns.items()} | _parts(self.sought)


def needed(conn: Connection[Any], scope: Scope, filters: Filters) -> list[Among]:
    """All of whom one must have taken part in a call for it to be shown."""
    found = []
    if filters.party is not None:
        found.append(of_party(filters.party))
    if filters.text is not None:
        found.append(_matching(conn, scope.tenant, filters.text))
    if filters.lines is not None:
        found.append(of_lines("account", filters.lines))
    if scope.lines is not None:
        found.append(of_lines("scope", scope.lines))
    return found


def first_of(conn: Connection[Any], tenant: str, needed: Sequence[Among]) -> Among | None:
    """Whose calls are best looked up, the rest being asked of each: whoever took part in few, or somebody's lines."""
    named = [among for among in needed if among.holdings is not None]
    if len(needed) < 2:
        return named[0] if named else None
    few = (among for among in named if among.own or _is_small(conn, tenant, among))
    return next(few, None) or (named[0] if named else None)


def of_party(address: str) -> Among:
    return Among(name="party", holdings=[Holding(address)])


def of_lines(name: str, lines: Sequence[Line]) -> Among:
    held = [Holding(line.address, line.held_from, line.held_until) for line in lines]
    return Among(name=name, holdings=held, own=True)


def _matching(conn: Connection[Any], tenant: str, sought: Sought) -> Among:
    values = {"tenant": tenant, "most": MOST + 1} | _parts(sought)
    found = conn.execute(MATCHES, values).fetchall()
    if len(found) > MOST:
        return Among(name="text", holdings=None, sought=sought)
    holdings = [Holding(*holding) for *holding, call_id in found if call_id is None]
    calls = [call_id for *_, call_id in found if call_id is not None]
    return Among(name="text", holdings=holdings, sought=sought, calls=calls)


def _is_small(conn: Connection[Any], tenant: str, among: Among) -> bool:
    values = {**among.values, "tenant": tenant, "most": FEW}
    (size,) = conn.execute(SIZE.format(name=among.name), values).fetchone() or (0,)
    return bool(size < FEW)


def _parts(sought: Sought | None) -> dict[str, Any]:
    return {f"{name}_part": _containing(part) for name, part in sought._asdict().items()} if sought else {}


def _containing(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
