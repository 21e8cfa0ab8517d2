"""What a company sets for itself over HTTP, what follows in the journal, and that others are told."""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.gateway.directory import repository, settings
from shared.contracts.gateway.schemas import newest
from shared.plumbing import clock
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import NOON, call_id, call_message, project_messages, state
from tests.service.gateway.factories import Company, Gateway
from tests.support.infrastructure import Broker, Services, eventually
from tests.support.problems import check_problem

SETTINGS = "/api/v1/settings"
FIRST = {
    "time_zone": "Europe/Kyiv",
    "region": "UA",
    "price_delay_seconds": 300,
    "returned_window_hours": 24,
    "retention_days": None,
    "currency": "UAH",
}
OTHER = {
    "time_zone": "Europe/Warsaw",
    "region": "PL",
    "price_delay_seconds": 60,
    "returned_window_hours": 48,
    "retention_days": 365,
    "currency": "PLN",
}
Ask = Callable[..., Any]


@pytest.fixture
def ask(gateway: Gateway, company: Company) -> Ask:
    token = gateway.token("administrator")
    return lambda method, body=None, path=SETTINGS: gateway(method, path, token=token, json=body)


def told(db: Postgres) -> list[dict[str, Any]]:
    with db.autocommit() as conn:
        return [json.loads(body) for (body,) in conn.execute("select body from outbox order by position")]


def test_at_first_they_are_those_of_the_installation(ask):
    answer = ask("GET")
    assert (answer.status_code, answer.json()) == (200, FIRST)


def test_all_may_be_changed_and_are_so_at_once(ask):
    answer = ask("PATCH", OTHER)
    assert (answer.status_code, answer.json()) == (200, OTHER)
    assert ask("GET").json() == OTHER


@pytest.mark.parametrize("name", list(OTHER))
def test_what_is_left_out_stays(ask, name):
    assert ask("PATCH", {name: OTHER[name]}).json() == FIRST | {name: OTHER[name]}


def test_recordings_may_stay_for_ever_again(ask):
    ask("PATCH", {"retention_days": 1})
    assert ask("PATCH", {"retention_days": None}).json()["retention_days"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_zone", "Київ"),
        ("time_zone", "europe/kyiv"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "+02:00"),
        ("time_zone", None),
        ("region", "ua"),
        ("region", "ZZ"),
        ("region", "Україна"),
        ("price_delay_seconds", -1),
        ("price_delay_seconds", 86_401),
        ("price_delay_seconds", "300"),
        ("price_delay_seconds", None),
        ("returned_window_hours", 0),
        ("returned_window_hours", 745),
        ("returned_window_hours", 1.5),
        ("retention_days", 0),
        ("retention_days", 36_526),
        ("currency", "грн"),
        ("currency", "uah"),
        ("currency", "XXX"),
        ("tenant", "krynytsia"),
        ("version", 2),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(ask, name, value):
    answer = ask("PATCH", {"currency": "PLN", name: value} if name != "currency" else {name: value})
    assert [path.partition(".")[0] for path in check_problem(answer, 422, "invalid")["errors"]] == [name]
    assert ask("GET").json() == FIRST


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price_delay_seconds", 0),
        ("price_delay_seconds", 86_400),
        ("returned_window_hours", 744),
        ("retention_days", 36_525),
    ],
)
def test_at_its_bounds_a_setting_is_taken(ask, name, value):
    answer = ask("PATCH", {name: value})
    assert answer.status_code == 200, answer.text
    assert answer.json()[name] == value


@pytest.mark.parametrize("role", ["supervisor", "operator", "accountant"])
def test_only_an_administrator_sees_and_changes_them(gateway, company, role):
    token = gateway.token(role)
    assert gateway("GET", SETTINGS, token=token).status_code == 403
    assert gateway("PATCH", SETTINGS, token=token, json={}).status_code == 403


def test_every_company_has_its_own(ask, gateway, other_company):
    ask("PATCH", OTHER)
    assert gateway("GET", SETTINGS, token=gateway.token("other-administrator")).json() == FIRST


def test_the_day_is_that_of_the_time_zone(ask):
    ask("PATCH", {"time_zone": "Pacific/Kiritimati"})
    eventually(lambda: ask("GET", path="/api/v1/me").json()["time_zone"] == "Pacific/Kiritimati", seconds=2)


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_price_is_due_after_the_delay_that_the_company_had_set_when_the_call_ended(ask, company, gateway_db, seconds):
    def delay(name: int) -> timedelta:
        call = ask("GET", path=f"/api/v1/calls/{call_id(name)}").json()
        return datetime.fromisoformat(call["price"]["due_at"]) - datetime.fromisoformat(call["ended_at"])

    received = {"tenant": company.tenant, "recorded_at": NOON + timedelta(seconds=66)}
    project_messages(gateway_db, call_message(state(0), **received))
    ask("PATCH", {"price_delay_seconds": seconds})
    project_messages(gateway_db, call_message(state(1), **received))
    assert (delay(0), delay(1)) == (timedelta(seconds=300), timedelta(seconds=seconds))


class TestWhatOthersAreTold:
    def test_a_change_is_told_whole_with_its_version(self, ask, gateway_db):
        ask("PATCH", {"returned_window_hours": 48})
        ask("PATCH", {"currency": "PLN"})
        heard = newest(told(gateway_db))
        version, said = heard["oselia"]
        assert (len(heard), version) == (1, 3)
        assert (said.returned_window_hours, said.currency, said.price_delay_seconds) == (48, "PLN", None)

    @pytest.mark.parametrize("body", [{}, {"currency": "UAH"}])
    def test_what_is_so_already_is_not_told(self, ask, gateway_db, body):
        assert ask("PATCH", body).status_code == 200
        assert told(gateway_db) == []

    def test_of_two_who_change_at_once_both_changes_stay(self, gateway_db):
        def change(**changes: Any) -> None:
            with gateway_db.connection() as conn:
                settings.change(conn, "oselia", changes, clock.now())

        with gateway_db.connection() as conn:
            repository.ensure_tenant(conn, "oselia", "Оселя")
        with gateway_db.connection() as conn:
            settings.change(conn, "oselia", {"currency": "PLN"}, clock.now())
            other = threading.Thread(target=change, kwargs={"region": "PL"})
            other.start()
            other.join(0.3)
            assert other.is_alive()
        other.join()
        version, said = newest(told(gateway_db))["oselia"]
        assert (version, said.currency, said.region) == (3, "PLN", "PL")

    def test_all_companies_are_told_of_again(self, gateway_db):
        with gateway_db.connection() as conn:
            for tenant in ("oselia", "krynytsia"):
                repository.ensure_tenant(conn, tenant, tenant)
            settings.change(conn, "oselia", {"region": "PL"}, clock.now())
            conn.execute("delete from outbox")
            assert settings.republish(conn, "", clock.now()) == "oselia"
            assert settings.republish(conn, "oselia", clock.now()) is None
        heard = newest(told(gateway_db))
        assert {tenant: (version, said.region) for tenant, (version, said) in heard.items()} == {
            "oselia": (2, "PL"),
            "krynytsia": (1, "UA"),
        }

    def test_calls_hears_of_it(self, ask, services: Services, broker: Broker, calls_db: Postgres):
        services.start("services.gateway.service:Projector", of="gateway")
        services.start("services.calls.service:CallsService", of="calls")
        ask("PATCH", {"returned_window_hours": 48})

        def window() -> Any:
            with calls_db.autocommit() as conn:
                return conn.execute("select tenant, version, returned_window from settings").fetchall()

        eventually(lambda: window() == [("oselia", 2, timedelta(hours=48))], seconds=20)
