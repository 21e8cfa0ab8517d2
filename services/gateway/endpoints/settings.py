"""What a company has set for itself."""

from werkzeug.wrappers import Response

from services.gateway.directory.repository import schemas
from services.gateway.directory.repository import settings
from services.gateway.endpoints.endpoint import Door, Visit, door
from services.gateway.http.pagination import Row
from shared.contracts.wire import Json
from shared.plumbing import clock
from shared.plumbing.database import Connection
from shared.http.entrypoint import answer

SETTINGS = schemas.SettingsSchema()


class SettingsDoors(Door):
    @door("GET", "/api/v1/settings", answers={200: SETTINGS})
    def show_settings(self, visit: Visit) -> Response:
        """What the company has set for itself."""
        visit.asked()
        with self.db.reading() as conn:
            return self._shown(settings.settings(conn, visit.account.tenant))

    @door("PATCH", "/api/v1/settings", body=SETTINGS, answers={200: SETTINGS}, writes_here=True)
    def change_settings(self, visit: Visit, conn: Connection) -> Response:
        """Change some of it; what is left out stays as it is."""
        return self._shown(settings.change(conn, visit.account.tenant, visit.sent(), clock.now()))

    def _shown(self, found: Row) -> Response:
        by_default: Json = {
            "price_delay_seconds": round(float(self.config["PRICE_DELAY"])),
            "returned_window_hours": round(float(self.config["RETURNED_WINDOW_HOURS"])),
        }
        chosen = {name: value for name, value in found.items() if value is not None or name not in by_default}
        return answer(SETTINGS.dump(by_default | chosen))
