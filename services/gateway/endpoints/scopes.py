"""Scopes that endpoints of several resources share."""

from uuid import UUID

from services.gateway.domain.scope import scope_of
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext
from services.gateway.journal import page_query
from services.gateway.journal.rows import Row


def find_call(group: EndpointGroup, context: RequestContext, call_id: UUID) -> Row:
    """The journal row of a call that the caller may see. Raises NotFound."""
    with group.db.autocommit() as conn:
        return page_query.get_call(conn, scope_of(context.caller), call_id)
