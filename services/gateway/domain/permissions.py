"""Roles of callers, and the access rules that an endpoint declares. What a caller then sees is in `scope.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.domain.people import Account
from shared.contracts.values import Role

Caller = Account | ApiKey
ANONYMOUS = "anonymous"
Roles = frozenset[Role | KeyKind | str]

ANYBODY: Roles = frozenset({ANONYMOUS})
PEOPLE: Roles = frozenset(Role)
READERS: Roles = PEOPLE | {KeyKind.EXPORT}
ADMINISTRATORS: Roles = frozenset({Role.ADMINISTRATOR})
LEADERS: Roles = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR})
ACCOUNTING: Roles = frozenset({Role.ADMINISTRATOR, Role.ACCOUNTANT})
INGEST_KEYS: Roles = frozenset({KeyKind.INGEST})


class KeyCredential(StrEnum):
    """How a machine may present its API key, besides the header `X-Api-Key`."""

    SIGNATURE = "signature"
    PASSWORD = "password"


class RateLimit(StrEnum):
    """A limit besides the one that holds for all requests of a caller; endpoints of one limit share it."""

    EXPORTS = "exports"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """Who may call an endpoint and how they prove who they are. `query_roles`: who may use a query parameter."""

    roles: Roles
    query_roles: Mapping[str, Roles] = field(default_factory=dict)
    key_credentials: frozenset[KeyCredential] = frozenset()
    csrf: bool = False
    limit: RateLimit | None = None

    @property
    def is_public(self) -> bool:
        """Whether no credentials are needed."""
        return ANONYMOUS in self.roles

    def allows(self, caller: Caller, parameters: Iterable[str] = ()) -> bool:
        """Whether the caller may call the endpoint with these query parameters."""
        return role_of(caller) in self.roles and not self.forbidden_parameters(caller, parameters)

    def forbidden_parameters(self, caller: Caller, parameters: Iterable[str]) -> list[str]:
        """Those of the query parameters that the caller may not use."""
        role = role_of(caller)
        return [name for name in parameters if role not in self.query_roles.get(name, {role})]


def role_of(caller: Caller) -> Role | KeyKind:
    return caller.kind if isinstance(caller, ApiKey) else caller.role
