"""The HTTP service, made of all endpoint groups, and the projector that keeps the journal up to date."""

from collections.abc import Sequence
from datetime import timedelta

from nameko.dependency_providers import Config
from prometheus_client import Histogram

from services.gateway.directory import settings
from services.gateway.endpoints.accounts import AccountEndpoints
from services.gateway.endpoints.api_keys import ApiKeyEndpoints
from services.gateway.endpoints.billing_report import BillingReportEndpoints
from services.gateway.endpoints.charges import ChargeEndpoints
from services.gateway.endpoints.comments import CommentEndpoints
from services.gateway.endpoints.contacts import ContactEndpoints
from services.gateway.endpoints.docs import DocumentEndpoints
from services.gateway.endpoints.endpoint import all_endpoints
from services.gateway.endpoints.export import ExportEndpoints
from services.gateway.endpoints.freeswitch import FreeswitchEndpoints
from services.gateway.endpoints.health import HealthEndpoints
from services.gateway.endpoints.journal import JournalEndpoints
from services.gateway.endpoints.problems import ProblemEndpoints
from services.gateway.endpoints.recordings import RecordingEndpoints
from services.gateway.endpoints.reports import ReportEndpoints
from services.gateway.endpoints.reratings import ReratingEndpoints
from services.gateway.endpoints.sessions import SessionEndpoints
from services.gateway.endpoints.settings import SettingsEndpoints
from services.gateway.endpoints.static_files import PageEndpoints
from services.gateway.endpoints.stream import StreamEndpoints
from services.gateway.endpoints.tariffs import TariffEndpoints
from services.gateway.http import idempotency
from services.gateway.journal import projections
from services.gateway.journal.change_notifier import RedisChangeNotifier
from shared.plumbing import clock
from shared.plumbing.database import Database
from shared.plumbing.relay import Relay
from shared.plumbing.subscriptions import Message, subscribe
from shared.plumbing.timers import every

CLEAN_UP_EVERY = 30
REPUBLISH_SETTINGS_EVERY = 600
PRICE_LATENESS = Histogram(
    "journal_price_lateness_seconds",
    "Seconds from the due time of a price to its first appearance in the journal; negative if it came early.",
    buckets=(0, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)


class GatewayService(
    JournalEndpoints,
    StreamEndpoints,
    ExportEndpoints,
    CommentEndpoints,
    RecordingEndpoints,
    SessionEndpoints,
    AccountEndpoints,
    ContactEndpoints,
    ApiKeyEndpoints,
    SettingsEndpoints,
    ChargeEndpoints,
    TariffEndpoints,
    ReratingEndpoints,
    BillingReportEndpoints,
    ReportEndpoints,
    FreeswitchEndpoints,
    DocumentEndpoints,
    HealthEndpoints,
    ProblemEndpoints,
    PageEndpoints,
):
    name = "gateway"

    @every(CLEAN_UP_EVERY)
    def delete_expired_idempotency_keys(self) -> None:
        idempotency.delete_expired(self.db, clock.now())


ENDPOINTS = all_endpoints(GatewayService)


class Projector:
    name = "projector"

    db = Database()
    config = Config()
    outbox = Relay("gateway")
    notifier = RedisChangeNotifier()

    @subscribe("gateway.journal", batch=500)
    def project(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            result = projections.project(conn, messages, timedelta(seconds=float(self.config["PRICE_DELAY"])))
        self.notifier.publish(result.tenants)
        now = clock.now()
        for due_at in result.first_prices:
            PRICE_LATENESS.observe((now - due_at).total_seconds())

    @every(REPUBLISH_SETTINGS_EVERY)
    def republish_settings(self) -> None:
        last: str | None = ""
        while last is not None:
            with self.db.long_transaction() as conn:
                last = settings.republish(conn, last, clock.now())
