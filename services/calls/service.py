"""The entrypoints of calls: take reports, answer RPC, decide returns and give up abandoned calls on timers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from nameko.dependency_providers import Config

from services.calls import handlers, queries
from services.calls.domain.returns import Windows
from shared.contracts.calls import rpc as contract
from shared.contracts.wire import Json
from shared.plumbing.database import Connection, Database
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import rpc
from shared.plumbing.subscriptions import Message, subscribe
from shared.plumbing.timers import every

STALE_CALLS_INTERVAL = 30
PENDING_RETURNS_INTERVAL = 1


class CallsService:
    name = "calls"

    db = Database()
    config = Config()

    @subscribe("calls.reports", batch=500)
    def record_reports(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            bodies = [(message.body, message.correlation_id) for message in messages]
            has_pending_returns = handlers.record_reports(conn, bodies, self._windows(conn))
        if has_pending_returns:
            self._recompute_returns()

    @subscribe("calls.settings", batch=500)
    def save_settings(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            handlers.save_settings(conn, [message.body for message in messages])

    @every(PENDING_RETURNS_INTERVAL)
    def recompute_pending_returns(self) -> None:
        self._recompute_returns()

    @every(STALE_CALLS_INTERVAL)
    def give_up_stale_calls(self) -> None:
        with self.db.long_transaction() as conn:
            silence = timedelta(hours=float(self.config["SILENCE_HOURS"]))
            handlers.give_up_stale_calls(conn, silence, self._windows(conn))

    @rpc(contract.timeline)
    def timeline(self, tenant: str, call_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return {"events": queries.timeline(conn, tenant, call_id)}

    @rpc(contract.resend)
    def resend(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return handlers.resend(conn, **command)

    def _recompute_returns(self) -> None:
        has_more = True
        while has_more:
            with self.db.long_transaction() as conn:
                has_more = handlers.recompute_returns(conn, self._windows(conn))

    def _windows(self, conn: Connection) -> Windows:
        return queries.windows(conn, timedelta(hours=float(self.config["RETURNED_WINDOW_HOURS"])))


class CallsRelay:
    name = "calls-relay"

    outbox = Relay("calls")
