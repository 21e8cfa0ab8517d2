"""What calls cost, by who made or answered them: whoever held the line then."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.gateway.directory import repository
from services.gateway.journal import cost_by_operator, projections
from shared.contracts.values import Direction
from shared.contracts.wire import Json
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import NOON, TENANT, call_message, state
from tests.integration.gateway.test_prices import charged

HOUR = timedelta(hours=1)
WHOLE = {"limit": 99, "after_amount": None, "after_about": "", "after_currency": ""}


def project_messages(db: Postgres, tenant: str = TENANT, **span: Any) -> Json:
    asked = {"placed_from": NOON - HOUR, "placed_to": NOON + 9 * HOUR, **WHOLE, **span}
    with db.connection() as conn:
        return cost_by_operator.cost_by_operator(conn, tenant, **asked)


def row(account: UUID | None, name: str | None, calls: int, amount: str) -> Json:
    about = {"account_id": account and str(account), "name": name}
    return {**about, "currency": "UAH", "calls": calls, "amount": amount}


@pytest.fixture
def people(gateway_db: Postgres) -> tuple[UUID, UUID]:
    """Олена holds 101 until an hour past noon, Тарас from then on."""
    with gateway_db.connection() as conn:
        repository.ensure_tenant(conn, TENANT, TENANT)
        olena, taras = (
            repository.ensure_account(conn, TENANT, login, "password", name, "operator")
            for login, name in (("olena", "Олена"), ("taras", "Тарас"))
        )
        insert = "insert into lines (tenant, account_id, address, held_from, held_until) values (%s, %s, '101', %s, %s)"
        conn.execute(insert, (TENANT, olena, None, NOON + HOUR))
        conn.execute(insert, (TENANT, taras, NOON + HOUR, None))
    return olena, taras


def test_cost_is_of_the_caller_or_answerer_and_calls_of_nobody_are_included(
    gateway_db: Postgres, people: tuple[UUID, UUID]
) -> None:
    olena, taras = people
    outbound = {"direction": Direction.OUTBOUND, "caller": "101", "callee": "+380671234567", "answered_by": []}
    calls = [
        state("answered"),
        state("made", **outbound),
        state("later", placed_at=NOON + 2 * HOUR),
        state("nobody", answered_by=[]),
        state("failed"),
        state("unpriced"),
    ]
    prices = {"answered": "1.50", "made": "2.00", "later": "0.75", "nobody": "0.00", "failed": None}
    with gateway_db.connection() as conn:
        projections.project(conn, [call_message(call) for call in calls])
        projections.project(conn, [charged(name, amount) for name, amount in prices.items()])
    found = project_messages(gateway_db)
    rows = [row(olena, "Олена", 2, "3.50"), row(taras, "Тарас", 1, "0.75"), row(None, None, 1, "0.00")]
    assert found["rows"] == rows
    after = {"after_amount": Decimal("3.50"), "after_about": str(olena), "after_currency": "UAH"}
    assert project_messages(gateway_db, limit=1, **after)["rows"] == rows[1:2]
    after = {"after_amount": Decimal("0.00"), "after_about": "", "after_currency": "UAH"}
    assert project_messages(gateway_db, **after)["rows"] == []
    assert found["totals"] == [{"currency": "UAH", "calls": 4, "amount": "4.25"}]
    assert [total["calls"] for total in project_messages(gateway_db, placed_from=NOON + 2 * HOUR)["totals"]] == [1]
    assert [total["calls"] for total in project_messages(gateway_db, placed_to=NOON + 2 * HOUR)["totals"]] == [3]


def test_other_companies_are_not_included(gateway_db: Postgres, people: tuple[UUID, UUID]) -> None:
    with gateway_db.connection() as conn:
        projections.project(conn, [call_message(state("a")), charged("a", "1.00")])
    assert project_messages(gateway_db, "other") == {"rows": [], "totals": []}
