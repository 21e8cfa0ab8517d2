"""Rate books in memory: made once per process of rates that never change."""

from collections import OrderedDict
from uuid import UUID

from services.billing import rates
from services.billing.domain.rate_book import RateBook
from shared.contracts.billing.events import Tariff, TariffUsed
from shared.plumbing.database import Connection

MOST_RATES = 400_000


class Books:
    """Keeps the books used last, as many as have MOST_RATES rates together, and one at least."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, int], tuple[RateBook, int]] = OrderedDict()

    def of(self, conn: Connection, tariff: Tariff) -> RateBook:
        """The book of this version of the tariff."""
        key = tariff.tariff_id, tariff.version
        if key not in self._known:
            self._known[key] = _made(conn, tariff), tariff.count
        self._known.move_to_end(key)
        while len(self._known) > 1 and sum(count for _, count in self._known.values()) > MOST_RATES:
            self._known.popitem(last=False)
        return self._known[key][0]


def _made(conn: Connection, tariff: Tariff) -> RateBook:
    used = TariffUsed(id=tariff.tariff_id, name=tariff.name, version=tariff.version, rounding=tariff.rounding)
    return RateBook(used, tariff.currency, rates.read(conn, tariff.rates))
