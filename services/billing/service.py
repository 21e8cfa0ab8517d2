"""The doors of billing: ended calls in, tariffs and prices asked for, and the clockwork that rates what is due."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
from nameko.dependency_providers import Config

from services.billing import cost_report, handlers, policies, prices, queries, rate_csv, rates, reratings, schemas
from services.billing.queries import Terms
from services.billing.rate_book_cache import Books
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
    books = Books()

    @subscribe("billing.calls", batch=500, linger=LINGER)
    def hear_calls(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            policies.hear_calls(conn, messages, self._default())

    @subscribe("billing.settings", batch=500)
    def keep_settings(self, messages: Sequence[Message]) -> None:
        with self.db.long_transaction() as conn:
            handlers.keep_settings(conn, [message.body for message in messages])

    @every(RATE_EVERY)
    def rate_due(self) -> None:
        rated = AT_ONCE
        while rated == AT_ONCE:
            with self.db.long_transaction() as conn:
                rated = policies.rate_due(conn, self.books, self._default(), AT_ONCE)

    @every(RERATE_EVERY)
    def rate_again(self) -> None:
        more = True
        while more:
            with self.db.long_transaction() as conn:
                more = reratings.work(conn, self.books, self._default(), AT_ONCE)

    @every(FORGET_EVERY)
    def forget_uploads(self) -> None:
        with self.db.long_transaction() as conn:
            handlers.forget_uploads(conn)

    @rpc
    def upload(self, **sent: Any) -> None:
        with self.db.connection() as conn:
            handlers.take_slice(conn, **schemas.UploadSchema().load(sent))

    @rpc
    def draft_tariff(self, **command: Any) -> Json:
        asked = schemas.DraftSchema().load(command)
        drafted = self._rates(asked["tenant"], asked.pop("rates"), asked.pop("upload"))
        with self.db.long_transaction() as conn:
            return handlers.draft_tariff(conn, drafted=drafted, **asked)

    @rpc
    def activate_tariff(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.activate_tariff(conn, **schemas.ActivateSchema().load(command))

    @rpc
    def discard_tariff(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return handlers.discard_tariff(conn, **schemas.DiscardSchema().load(command))

    @rpc
    def tariffs(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return {"tariffs": queries.list_tariffs(conn, **schemas.ListQuerySchema().load(query))}

    @rpc
    def tariff(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return queries.show_tariff(conn, **schemas.TariffQuerySchema().load(query))

    @rpc
    def rates(self, **query: Any) -> Json:
        asked = schemas.RatesQuerySchema().load(query)
        number = asked.pop("slice")
        with self.db.autocommit() as conn:
            return {"rates": rates.read_slice(conn, queries.digest(conn, **asked), number)}

    @rpc
    def price(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return prices.show(conn, **schemas.CallQuerySchema().load(query))

    @rpc
    def timeline(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            events = queries.timeline(conn, **schemas.CallQuerySchema().load(query))
        return {"events": schemas.TimelineEventSchema(many=True).dump(events)}

    @rpc
    def failed(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return {"charges": queries.failed(conn, **schemas.ListQuerySchema().load(query))}

    @rpc
    def retry(self, **command: Any) -> Json:
        with self.db.connection() as conn:
            return policies.retry(conn, **schemas.RetrySchema().load(command))

    @rpc
    def rerate(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return reratings.begin(conn, **schemas.RerateSchema().load(command))

    @rpc
    def rerating(self, **query: Any) -> Json:
        with self.db.autocommit() as conn:
            return reratings.show(conn, **schemas.ReratingQuerySchema().load(query))

    @rpc
    def rerating_sums(self, **query: Any) -> Json:
        with self.db.long_transaction() as conn:
            return {"by_prefix": reratings.by_prefix(conn, **schemas.ReratingSumsQuerySchema().load(query))}

    @rpc
    def report(self, **query: Any) -> Json:
        with self.db.long_transaction() as conn:
            return cost_report.show(conn, **schemas.SumsQuerySchema().load(query))

    @rpc
    def resend(self, **command: Any) -> Json:
        with self.db.long_transaction() as conn:
            return policies.resend(conn, **schemas.ResendSchema().load(command))

    def _rates(self, tenant: str, sent: list[Any], upload: Json | None) -> list[Rate]:
        """The rates of a draft, checked before any transaction begins."""
        if upload is None:
            return schemas.checked(enumerate(sent), "rate")
        with self.db.long_transaction() as conn:
            content = queries.uploaded(conn, tenant, upload["id"], upload["slices"])
        if upload["format"] == "csv":
            return rate_csv.read(content)
        return schemas.checked(enumerate(_json_list(content)), "rate")

    def _default(self) -> Terms:
        return Terms(timedelta(seconds=float(self.config["PRICE_DELAY"])), self.config["CURRENCY"])


def _json_list(content: bytes) -> list[Any]:
    try:
        found = orjson.loads(content)
    except ValueError as error:
        raise Invalid("The rates are malformed.", {"rates": ["Not JSON."]}) from error
    if not isinstance(found, list):
        raise Invalid("The rates are malformed.", {"rates": ["Not a list."]})
    return found


class BillingRelay:
    name = "billing-relay"

    outbox = Relay("billing")
