"""The keys of machines: exchanges that report, and programs that read."""

from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.directory.repository import api_keys
from services.gateway.directory.repository import schemas
from services.gateway.endpoints.endpoint import Door, Visit, door
from services.gateway.http.list_response import listed, place
from shared.plumbing import clock
from shared.plumbing.database import Connection
from shared.http.entrypoint import answer

KEYS, SHOWN = schemas.KeysSchema(), schemas.ShownKeySchema()


class ApiKeyDoors(Door):
    @door("GET", "/api/v1/api-keys", query=schemas.ListQuerySchema(), answers={200: KEYS})
    def list_api_keys(self, visit: Visit) -> Response:
        """The keys that open a door, by name, and when each was last used."""
        asked = visit.asked()
        with self.db.reading() as conn:
            found = api_keys.api_keys(conn, visit.account.tenant, asked["limit"], place(asked))
        return listed(KEYS, "api_keys", found)

    @door("POST", "/api/v1/api-keys", body=schemas.NewKeySchema(), answers={201: SHOWN}, writes_here=True)
    def add_api_key(self, visit: Visit, conn: Connection) -> Response:
        """Make a key; it is shown this once."""
        made = api_keys.add(conn, visit.account.tenant, at=clock.now(), **visit.sent())
        return answer(SHOWN.dump(made), 201)

    @door("DELETE", "/api/v1/api-keys/<key_id>", answers={204: ""}, writes_here=True)
    def revoke_api_key(self, visit: Visit, conn: Connection, key_id: UUID) -> Response:
        """Revoke a key: it is refused from now on, on every replica within a second."""
        api_keys.revoke(conn, visit.account.tenant, key_id, clock.now())
        visit.asked()
        return answer(None, 204)
