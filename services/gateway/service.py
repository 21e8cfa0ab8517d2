"""The gateway's doors, gathered, and the projector that keeps the journal up to date."""

from collections.abc import Sequence

from services.gateway import idempotency, projections
from services.gateway.doors.charges import ChargeDoors
from services.gateway.doors.comments import CommentDoors
from services.gateway.doors.health import HealthDoors
from services.gateway.doors.journal import JournalDoors
from services.gateway.doors.reports import ReportDoors
from services.gateway.doors.reratings import ReratingDoors
from services.gateway.doors.sessions import SessionDoors
from services.gateway.doors.tariffs import TariffDoors
from shared.plumbing import clock
from shared.plumbing.database import Database
from shared.plumbing.subscriptions import Message, subscribe
from shared.plumbing.timers import every

CLEAN_UP_EVERY = 30


class GatewayService(
    JournalDoors, CommentDoors, ChargeDoors, TariffDoors, ReratingDoors, SessionDoors, ReportDoors, HealthDoors
):
    name = "gateway"

    @every(CLEAN_UP_EVERY)
    def forget_kept_answers(self) -> None:
        with self.db.connection() as conn:
            idempotency.forget(conn, clock.now())


class Projector:
    name = "projector"

    db = Database()

    @subscribe("gateway.journal", batch=500)
    def show(self, messages: Sequence[Message]) -> None:
        with self.db.connection() as conn:
            projections.show(conn, messages)
