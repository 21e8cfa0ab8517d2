"""What an account may see of the journal. Every query takes it; nothing is fetched and filtered afterwards."""

from dataclasses import dataclass

from services.gateway.domain.people import Account, Line
from shared.contracts.values import Role

SEES_ALL = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The calls of `tenant`; only those of `lines`, within their tenure, unless `lines` is None."""

    tenant: str
    lines: tuple[Line, ...] | None


def scope_of(account: Account) -> Scope:
    return Scope(tenant=account.tenant, lines=None if account.role in SEES_ALL else account.lines)
