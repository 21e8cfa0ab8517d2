"""The gateway's doors, gathered, and the projector that keeps the journal up to date."""

from services.gateway.doors.health import HealthDoors
from services.gateway.doors.reports import ReportDoors
from services.gateway.doors.sessions import SessionDoors


class GatewayService(SessionDoors, ReportDoors, HealthDoors):
    name = "gateway"
