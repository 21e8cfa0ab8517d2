"""The same flow in the stock Nameko idiom, to compare with: one event per worker and per transaction.

The decisions, rows and SQL are the house's own; only the plumbing is Nameko's: `event_handler`, which acknowledges
when the worker ends, and `EventDispatcher`, which waits for the broker after each message.
"""

import json
from datetime import timedelta
from typing import Any

from nameko.events import EventDispatcher, event_handler

from services.calls import handlers
from services.gateway import projections
from shared.plumbing.database import Database
from shared.plumbing.subscriptions import Message

TAKE_OUTBOX = "delete from outbox returning key, body, correlation_id"
WINDOW = timedelta(hours=24)


class StockCalls:
    name = "stock_calls"

    db = Database()
    dispatch = EventDispatcher()

    @event_handler("stock_gateway", "report")
    def take_report(self, report: Any) -> None:
        with self.db.connection() as conn:
            handlers.take_reports(conn, [(report, "stock")], WINDOW)
        with self.db.connection() as conn:
            said = conn.execute(TAKE_OUTBOX).fetchall()
        for key, body, about in said:
            self.dispatch("call_changed", {"key": key, "body": json.loads(body), "about": about})


class StockProjector:
    name = "stock_projector"

    db = Database()

    @event_handler("stock_calls", "call_changed")
    def show_call(self, said: Any) -> None:
        with self.db.connection() as conn:
            projections.show_calls(conn, [Message(said["body"], said["key"], said["about"])])
