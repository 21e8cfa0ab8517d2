"""Create the demonstration's tariff: `python -m tools.tariff`, with billing's environment. Idempotent.

The rates are invented; the structure is that of a Ukrainian company: mobile networks, cities, abroad, a 0800 line.
"""

import os
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from services.billing import handlers, rate_csv
from shared.contracts.billing.events import Rounding
from shared.plumbing.database import Connection, Postgres
from tools.demonstration import LINES_HELD_FROM, OTHER_TENANT, TENANT

PRICE_LIST = Path(__file__).parents[1] / "services/billing/tariffs/ukraine.csv"
NAME = "Україна, базовий"


def main() -> None:
    postgres = Postgres(os.environ["DATABASE_URL"], size=1)
    postgres.open()
    try:
        with postgres.connection() as conn:
            for tenant in (TENANT, OTHER_TENANT):
                ensure_tariff(conn, tenant)
    finally:
        postgres.close()


def ensure_tariff(conn: Connection, tenant: str) -> UUID:
    """Create the company's first tariff, in force since its lines exist; return its id."""
    tariff_id = _id(f"tariff:{tenant}")
    handlers.draft_tariff(
        conn,
        command_id=_id(f"draft:{tariff_id}"),
        tenant=tenant,
        tariff_id=tariff_id,
        name=NAME,
        currency="UAH",
        rounding=Rounding(),
        drafted=rate_csv.read(PRICE_LIST.read_bytes()),
        by=None,
    )
    handlers.activate_tariff(conn, _id(f"activate:{tariff_id}"), tenant, tariff_id, LINES_HELD_FROM, None)
    return tariff_id


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"demonstration:{name}")


if __name__ == "__main__":
    main()
