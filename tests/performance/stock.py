"""The same flow with stock Nameko, for comparison: one event per worker and per transaction.

Checks, decisions (on returned calls too), rows and SQL are the house's own; only the plumbing is Nameko's: `http`,
`event_handler`, which acknowledges when the worker ends, and `EventDispatcher`, which waits for the broker after each
message.
"""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from nameko.events import EventDispatcher, event_handler
from nameko.web.handlers import http
from werkzeug.wrappers import Request

from services.calls import handlers
from services.calls.domain.returns import Windows
from services.gateway.domain.keys import ApiKey, KeyKind
from services.gateway.endpoints.reports import checked
from services.gateway.journal import projections
from shared.contracts.calls import reports
from shared.plumbing import clock
from shared.plumbing.database import Database
from shared.plumbing.subscriptions import Message
from tests.performance import company

TAKE_OUTBOX = "delete from outbox returning key, body, correlation_id"
WINDOWS = Windows(timedelta(hours=24))
KEY = ApiKey(id=UUID(int=0), tenant=company.TENANT, kind=KeyKind.INGEST)


class StockGateway:
    name = "stock_gateway"

    dispatch = EventDispatcher()

    @http("POST", "/reports")
    def take_reports(self, request: Request) -> str:
        for report in checked(json.loads(request.get_data()), KEY, clock.now()):
            self.dispatch("report", reports.dump(report))
        return "taken"


class StockCalls:
    name = "stock_calls"

    db = Database()
    dispatch = EventDispatcher()

    @event_handler("stock_gateway", "report")
    def take_report(self, report: Any) -> None:
        with self.db.connection() as conn:
            returns_due = handlers.record_reports(conn, [(report, "stock")], WINDOWS)
        while returns_due:
            with self.db.connection() as conn:
                returns_due = handlers.recompute_returns(conn, WINDOWS)
        with self.db.connection() as conn:
            said = conn.execute(TAKE_OUTBOX).fetchall()
        for key, body, about in said:
            self.dispatch("call_changed", {"key": key, "body": json.loads(body), "about": about})


class StockProjector:
    name = "stock_projector"

    db = Database()

    @event_handler("stock_calls", "call_changed")
    def project_call(self, payload: Any) -> None:
        with self.db.connection() as conn:
            projections.project(conn, [Message(payload["body"], payload["key"], payload["about"])])
