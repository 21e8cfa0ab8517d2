"""Rate books in memory, built once per process from rates that never change."""

from uuid import UUID

from cachetools import LRUCache

from services.billing import rates
from services.billing.domain.rate_book import RateBook
from shared.contracts.billing.events import Tariff, TariffUsed
from shared.plumbing.database import Connection

MAX_CACHED_RATES = 400_000
"""Rates of all cached books together; a tariff has fewer."""


class RateBookCache:
    """Keeps the last used rate books."""

    def __init__(self) -> None:
        self._books: LRUCache[tuple[UUID, int], tuple[RateBook, int]] = LRUCache(
            MAX_CACHED_RATES, getsizeof=lambda entry: entry[1]
        )

    def of(self, conn: Connection, tariff: Tariff) -> RateBook:
        """The rate book of this version of the tariff."""
        key = tariff.tariff_id, tariff.version
        entry = self._books.get(key)
        if entry is None:
            self._books[key] = entry = _build(conn, tariff), tariff.count
        return entry[0]


def _build(conn: Connection, tariff: Tariff) -> RateBook:
    used = TariffUsed(id=tariff.tariff_id, name=tariff.name, version=tariff.version, rounding=tariff.rounding)
    return RateBook(used, tariff.currency, rates.read(conn, tariff.rates))
