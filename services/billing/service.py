"""The entrypoints of billing: take ended calls, answer RPC, rate calls and periods on timers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from nameko.dependency_providers import Config

from services.billing import cost_report, handlers, policies, prices, queries, rate_csv, rates, reratings, schemas
from services.billing.queries import Terms
from services.billing.rate_book_cache import RateBookCache
from shared.contracts.billing import rpc as contract
from shared.contracts.billing.events import Rate
from shared.contracts.errors import Invalid
from shared.contracts.wire import Json
from shared.plumbing.database import Database
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import rpc
from shared.plumbing.subscriptions import Message, subscribe
from shared.plumbing.timers import every

RATE_EVERY, AT_ONCE = 0.2, 200
LINGER = 0.2
"""Seconds that a batch of ended calls may take to fill: their prices are due in minutes."""
RERATE_EVERY, FORGET_EVERY = 1, 3600


class BillingService:
    name = "billing"

    db = Database()
    config = Config()
    books = RateBookCache()

    @subscribe("billing.calls", batch=500, linger=LINGER)
    def schedule_rating(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            policies.schedule_rating(conn, messages, self._default())

    @subscribe("billing.settings", batch=500)
    def save_settings(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            handlers.save_settings(conn, [message.body for message in messages])

    @every(RATE_EVERY)
    def rate_due(self) -> None:
        rated = AT_ONCE
        while rated == AT_ONCE:
            with self.db.long_transaction() as conn:
                rated = policies.rate_due(conn, self.books, self._default(), AT_ONCE)

    @every(RERATE_EVERY)
    def rate_next_batch(self) -> None:
        more = True
        while more:
            with self.db.long_transaction() as conn:
                more = reratings.work(conn, self.books, self._default(), AT_ONCE)

    @every(FORGET_EVERY)
    def delete_expired_uploads(self) -> None:
        with self.db.long_transaction() as conn:
            handlers.delete_expired_uploads(conn)

    @rpc(contract.upload)
    def upload(self, **part: Any) -> None:
        with self.db.connection() as conn:
            handlers.take_slice(conn, **part)

    @rpc(contract.draft_tariff)
    def draft_tariff(self, **command: Any) -> Json:
        drafted = self._rates(command["tenant"], command.pop("rates"), command.pop("upload"))
        with self.db.long_transaction() as conn:
            return handlers.draft_tariff(conn, drafted=drafted, **command)

    @rpc(contract.activate_tariff)
    def activate_tariff(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.activate_tariff(conn, **command)

    @rpc(contract.discard_tariff)
    def discard_tariff(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.discard_tariff(conn, **command)

    @rpc(contract.tariffs)
    def tariffs(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return {"tariffs": queries.list_tariffs(conn, **query)}

    @rpc(contract.tariff)
    def tariff(self, tenant: str, tariff_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return queries.show_tariff(conn, tenant, tariff_id)

    @rpc(contract.rates)
    def rates(self, tenant: str, tariff_id: UUID, slice: int) -> Json:  # noqa: A002  the field of the wire format
        with self.db.autocommit() as conn:
            return {"rates": rates.read_slice(conn, queries.digest(conn, tenant, tariff_id), slice)}

    @rpc(contract.price)
    def price(self, tenant: str, call_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return prices.show(conn, tenant, call_id)

    @rpc(contract.timeline)
    def timeline(self, tenant: str, call_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return {"events": queries.timeline(conn, tenant, call_id)}

    @rpc(contract.failed)
    def failed(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return {"charges": queries.failed(conn, **query)}

    @rpc(contract.retry)
    def retry(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return policies.retry(conn, **command)

    @rpc(contract.rerate)
    def rerate(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return reratings.begin(conn, **command)

    @rpc(contract.rerating)
    def rerating(self, tenant: str, rerating_id: UUID) -> Json:
        with self.db.autocommit() as conn:
            return reratings.show(conn, tenant, rerating_id)

    @rpc(contract.rerating_sums)
    def rerating_sums(self, **query: Any) -> Json:
        with self.db.long_transaction() as conn:
            return {"by_prefix": reratings.by_prefix(conn, **query)}

    @rpc(contract.report)
    def report(self, **query: Any) -> Json:
        with self.db.long_transaction() as conn:
            return cost_report.show(conn, **query)

    @rpc(contract.resend)
    def resend(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return policies.resend(conn, **command)

    def _rates(self, tenant: str, sent: list[Any], upload: Json | None) -> list[Rate]:
        """The rates of a draft, checked before any transaction begins."""
        if upload is None:
            return schemas.checked(enumerate(sent), "rates.")
        with self.db.long_transaction() as conn:
            content = queries.uploaded(conn, tenant, upload["id"], upload["slices"])
        if upload["format"] == "csv":
            return rate_csv.read(content)
        return schemas.checked(enumerate(_json_list(content)), "rates.")

    def _default(self) -> Terms:
        return Terms(timedelta(seconds=float(self.config["PRICE_DELAY"])), self.config["CURRENCY"])


def _json_list(content: bytes) -> list[Any]:
    try:
        found = orjson.loads(content)
    except ValueError as error:
        raise Invalid("not_json", field="rates") from error
    if not isinstance(found, list):
        raise Invalid("not_list", field="rates")
    return found


class BillingRelay:
    name = "billing-relay"

    outbox = Relay("billing")
