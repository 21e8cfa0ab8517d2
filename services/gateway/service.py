"""The gateway's doors, gathered, and the projector that keeps the journal up to date."""

from collections.abc import Sequence

from services.gateway import idempotency, projections, settings
from services.gateway.doors.accounts import AccountDoors
from services.gateway.doors.api_keys import ApiKeyDoors
from services.gateway.doors.bell import RedisBell
from services.gateway.doors.charges import ChargeDoors
from services.gateway.doors.comments import CommentDoors
from services.gateway.doors.contacts import ContactDoors
from services.gateway.doors.documents import DocumentDoors
from services.gateway.doors.export import ExportDoors
from services.gateway.doors.freeswitch import FreeswitchDoors
from services.gateway.doors.health import HealthDoors
from services.gateway.doors.journal import JournalDoors
from services.gateway.doors.reports import ReportDoors
from services.gateway.doors.reratings import ReratingDoors
from services.gateway.doors.sessions import SessionDoors
from services.gateway.doors.settings import SettingsDoors
from services.gateway.doors.stream import StreamDoors
from services.gateway.doors.tariffs import TariffDoors
from shared.plumbing import clock
from shared.plumbing.database import Database
from shared.plumbing.relay import Relay
from shared.plumbing.subscriptions import Message, subscribe
from shared.plumbing.timers import every

CLEAN_UP_EVERY = 30
TELL_AGAIN_EVERY = 600


class GatewayService(
    JournalDoors,
    StreamDoors,
    ExportDoors,
    CommentDoors,
    SessionDoors,
    AccountDoors,
    ContactDoors,
    ApiKeyDoors,
    SettingsDoors,
    ChargeDoors,
    TariffDoors,
    ReratingDoors,
    ReportDoors,
    FreeswitchDoors,
    DocumentDoors,
    HealthDoors,
):
    name = "gateway"

    @every(CLEAN_UP_EVERY)
    def forget_kept_answers(self) -> None:
        with self.db.connection() as conn:
            idempotency.forget(conn, clock.now())


class Projector:
    name = "projector"

    db = Database()
    outbox = Relay("gateway")
    bell = RedisBell()

    @subscribe("gateway.journal", batch=500)
    def show(self, messages: Sequence[Message]) -> None:
        with self.db.connection() as conn:
            changed = projections.show(conn, messages)
        self.bell.ring(changed)

    @every(TELL_AGAIN_EVERY)
    def tell_settings_again(self) -> None:
        last: str | None = ""
        while last is not None:
            with self.db.connection() as conn:
                last = settings.tell_again(conn, last, clock.now())
