"""What a company has set for itself."""

from werkzeug.wrappers import Response

from services.gateway.directory import schemas, settings
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.http.pagination import Row
from shared.contracts.wire import Json
from shared.http.entrypoint import answer
from shared.plumbing import clock
from shared.plumbing.database import Connection

SETTINGS = schemas.SettingsSchema()


class SettingsEndpoints(EndpointGroup):
    @endpoint("GET", "/api/v1/settings", answers={200: SETTINGS})
    def show_settings(self, context: RequestContext) -> Response:
        """What the company has set for itself."""
        context.query()
        with self.db.autocommit() as conn:
            return self._shown(settings.settings(conn, context.account.tenant))

    @endpoint("PATCH", "/api/v1/settings", body=SETTINGS, answers={200: SETTINGS}, transactional=True)
    def change_settings(self, context: RequestContext, conn: Connection) -> Response:
        """Change some of it; what is left out stays as it is."""
        return self._shown(settings.change(conn, context.account.tenant, context.body(), clock.now()))

    def _shown(self, found: Row) -> Response:
        by_default: Json = {
            "price_delay_seconds": round(float(self.config["PRICE_DELAY"])),
            "returned_window_hours": round(float(self.config["RETURNED_WINDOW_HOURS"])),
        }
        chosen = {name: value for name, value in found.items() if value is not None or name not in by_default}
        return answer(SETTINGS.dump(by_default | chosen))
