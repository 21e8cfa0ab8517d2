"""People, their roles, lines and sessions, the contacts of a company, and the keys of its machines."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.plumbing.database import Connection

EMPLOYEES = """
    select lines.address, lines.held_from, lines.held_until, accounts.id, accounts.name
      from lines
      join accounts on accounts.id = lines.account_id
     where lines.tenant = %(tenant)s and lines.address = any(%(addresses)s)
"""
CONTACTS = "select number, name from contacts where tenant = %(tenant)s and number = any(%(addresses)s)"


class Holder(NamedTuple):
    """Who held an address, and when."""

    held_from: datetime | None
    held_until: datetime | None
    account_id: UUID
    name: str

    def held(self, at: datetime) -> bool:
        return (self.held_from is None or self.held_from <= at) and (self.held_until is None or at < self.held_until)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of some addresses: employees by their lines, others as Contacts knows them."""

    holders: Mapping[str, Collection[Holder]]
    contacts: Mapping[str, str]

    def employee(self, address: str, at: datetime) -> tuple[UUID, str] | None:
        """The account that held the address at that instant, and its name."""
        held = (holder for holder in self.holders.get(address, ()) if holder.held(at))
        return next(((holder.account_id, holder.name) for holder in held), None)

    def contact(self, number: str) -> str | None:
        return self.contacts.get(number)


def names(conn: Connection, tenant: str, addresses: Collection[str]) -> Names:
    wanted = {"tenant": tenant, "addresses": list(addresses)}
    holders: dict[str, list[Holder]] = {}
    for address, *holder in conn.execute(EMPLOYEES, wanted):
        holders.setdefault(address, []).append(Holder(*holder))
    return Names(holders, dict(conn.execute(CONTACTS, wanted).fetchall()))
