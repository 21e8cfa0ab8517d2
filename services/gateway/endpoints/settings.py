"""The settings of the company."""

from werkzeug.wrappers import Response

from services.gateway.directory import schemas, settings
from services.gateway.domain.permissions import ADMINISTRATORS
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http.pagination import Row
from shared.contracts.wire import Json
from shared.http.entrypoint import answer
from shared.plumbing import clock
from shared.plumbing.database import Connection

SETTINGS = schemas.SettingsSchema()


class SettingsEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/settings", roles=ADMINISTRATORS, answers={200: SETTINGS})
    def show_settings(self, context: RequestContext) -> Response:
        """The settings of the company."""
        with self.db.autocommit() as conn:
            return self._response(settings.settings(conn, context.account.tenant))

    @endpoint(
        "PATCH",
        "/api/v1/settings",
        roles=ADMINISTRATORS,
        body=SETTINGS,
        answers={200: SETTINGS},
        transactional=True,
    )
    def change_settings(self, context: RequestContext, conn: Connection) -> Response:
        """Change some settings; those left out stay as they are."""
        return self._response(settings.change(conn, context.account.tenant, context.body, clock.now()))

    def _response(self, row: Row) -> Response:
        defaults: Json = {
            "price_delay_seconds": round(float(self.config["PRICE_DELAY"])),
            "returned_window_hours": round(float(self.config["RETURNED_WINDOW_HOURS"])),
        }
        chosen = {name: value for name, value in row.items() if value is not None or name not in defaults}
        return answer(SETTINGS.dump(defaults | chosen))
