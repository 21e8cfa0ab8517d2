"""Which calls a caller may see. Every query of the journal takes a scope and filters in SQL."""

from dataclasses import dataclass

from services.gateway.domain.keys import ApiKey
from services.gateway.domain.people import Account, Line
from shared.contracts.values import Role

SEES_ALL = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The calls of `tenant`, limited to those of `lines` while they were held; `lines` None: no limit."""

    tenant: str
    lines: tuple[Line, ...] | None


def scope_of(caller: Account | ApiKey) -> Scope:
    if isinstance(caller, ApiKey) or caller.role in SEES_ALL:
        return Scope(tenant=caller.tenant, lines=None)
    return Scope(tenant=caller.tenant, lines=caller.lines)
