"""The keys of machines: exchanges that report, and programs that read."""

from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.directory import api_keys, schemas
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http.list_response import listed, place
from shared.http.entrypoint import answer
from shared.plumbing import clock
from shared.plumbing.database import Connection

KEYS, SHOWN = schemas.KeysSchema(), schemas.ShownKeySchema()


class ApiKeyEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/api-keys", query=schemas.ListQuerySchema(), answers={200: KEYS})
    def list_api_keys(self, context: RequestContext) -> Response:
        """The keys that open a endpoint, by name, and when each was last used."""
        asked = context.query()
        with self.db.autocommit() as conn:
            found = api_keys.api_keys(conn, context.account.tenant, asked["limit"], place(asked))
        return listed(KEYS, "api_keys", found)

    @endpoint("POST", "/api/v1/api-keys", body=schemas.NewKeySchema(), answers={201: SHOWN}, transactional=True)
    def add_api_key(self, context: RequestContext, conn: Connection) -> Response:
        """Make a key; it is shown this once."""
        made = api_keys.add(conn, context.account.tenant, at=clock.now(), **context.body())
        return answer(SHOWN.dump(made), 201)

    @endpoint("DELETE", "/api/v1/api-keys/<key_id>", answers={204: ""}, transactional=True)
    def revoke_api_key(self, context: RequestContext, conn: Connection, key_id: UUID) -> Response:
        """Revoke a key: it is refused from now on, on every replica within a second."""
        api_keys.revoke(conn, context.account.tenant, key_id, clock.now())
        context.query()
        return answer(None, 204)
