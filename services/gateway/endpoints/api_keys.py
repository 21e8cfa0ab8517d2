"""API keys of exchanges, which send reports, and of programs, which read."""

from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.directory import api_keys, schemas
from services.gateway.domain.permissions import ADMINISTRATORS
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http.list_response import listed, place
from shared.http.entrypoint import answer
from shared.plumbing import clock
from shared.plumbing.database import Connection

KEYS, NEW_KEY = schemas.KeysSchema(), schemas.ShownKeySchema()


def find_key(group: EndpointGroup, context: RequestContext, conn: Connection, key_id: UUID) -> None:
    api_keys.require(conn, context.account.tenant, key_id)


class ApiKeyEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/api-keys", roles=ADMINISTRATORS, query=schemas.ListQuerySchema(), answers={200: KEYS})
    def list_api_keys(self, context: RequestContext) -> Response:
        """The valid keys by name, and when each was last used."""
        query = context.query
        with self.db.autocommit() as conn:
            page = api_keys.api_keys(conn, context.account.tenant, query["limit"], place(query))
        return listed(KEYS, "api_keys", page)

    @endpoint(
        "POST",
        "/api/v1/api-keys",
        roles=ADMINISTRATORS,
        body=schemas.NewKeySchema(),
        answers={201: NEW_KEY},
        transactional=True,
    )
    def add_api_key(self, context: RequestContext, conn: Connection) -> Response:
        """Create a key. The response is the only one that contains it."""
        key = api_keys.add(conn, context.account.tenant, at=clock.now(), **context.body)
        return answer(NEW_KEY.dump(key), 201)

    @endpoint(
        "DELETE",
        "/api/v1/api-keys/<key_id>",
        roles=ADMINISTRATORS,
        scope=find_key,
        answers={204: ""},
        transactional=True,
    )
    def revoke_api_key(self, context: RequestContext, conn: Connection, key_id: UUID) -> Response:
        """Revoke a key. Every replica refuses it within a second."""
        api_keys.revoke(conn, context.account.tenant, key_id, clock.now())
        return answer(None, 204)
