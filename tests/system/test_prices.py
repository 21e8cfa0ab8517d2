"""The price of a call, from the tariff that an accountant imports to the row of the journal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests

from shared.contracts.billing.rates import MAX_RATES_PER_TARIFF
from shared.contracts.wire import Json
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem
from tests.support.system import System
from tests.system.test_journal import report, report_call

BY_SIX = {"minimum_seconds": 30, "increment_seconds": 6}
RATE = {"direction": "outbound", "prefix": "+38067", "per_minute": "0.006", **BY_SIX}
DRAFT = {"name": "Тариф", "currency": "UAH", "rates": [RATE]}
CSV = "direction;prefix;per_minute;line\noutbound;+38067;1,20;\ninbound;;0;\n"


@pytest.fixture(scope="module", autouse=True)
def due_after_a_second(system: System) -> Iterator[None]:
    system.restart("billing", PRICE_DELAY="1")
    yield
    system.restart("billing")


def outbound(talked: int, callee: str = "0671234567", caller: str = "101") -> list[Json]:
    call, over = str(uuid4()), datetime.now(UTC)
    at = over - timedelta(seconds=talked)
    return [
        report(call, "placed", at - timedelta(seconds=4), direction="outbound", caller=caller, callee=callee),
        report(call, "answered", at, party=callee),
        report(call, "ended", over, by="caller", cause=16),
    ]


def send(system: System, method: str, path: str, by: str = "lesia", **how: Any) -> requests.Response:
    return system.send(method, path, by, **how)


def tariff(system: System, **words: Any) -> Json:
    """Drafted and active since 2020."""
    drafted = send(system, "POST", "/tariffs", json={**DRAFT, **words})
    assert drafted.status_code == 201, drafted.text
    active = send(system, "POST", f"/tariffs/{drafted.json()['id']}/activate", json={"from": "2020-01-01T00:00:00Z"})
    assert active.status_code == 200, active.text
    found: Json = active.json()
    return found


def price_state(system: System, call_id: str, state: str) -> Json:
    def shown() -> Json | None:
        price: Json = system.get(f"/calls/{call_id}", "admin").json().get("price", {"state": "not shown"})
        return price if price["state"] == state else None

    found: Json = eventually(shown, seconds=20)
    return found


def test_a_call_fails_without_a_tariff_and_is_priced_when_there_is_one(system: System) -> None:
    call_id = report_call(system, outbound(75))
    assert system.entry(call_id, "admin", phase="ended")["price"]["amount"] is None
    assert price_state(system, call_id, "failed")["reason"] == "no_tariff"
    [failed] = send(system, "GET", "/charges?state=failed").json()["charges"]
    assert (failed["call_id"], failed["reason"]) == (call_id, "no_tariff")
    used = tariff(system)
    assert send(system, "POST", "/charges/retry", json={"call_ids": [call_id]}).json() == {"retried": 1}
    assert price_state(system, call_id, "priced")["amount"] == "0.0078"
    whole = system.get(f"/calls/{call_id}/price", "olha").json()
    assert (whole["amount"], whole["currency"], whole["tariff"]["id"]) == ("0.0078", "UAH", used["id"])
    assert whole["lines"][0]["explanation"].endswith("rounded half_up to 4 digits = 0.0078")
    assert [one["reason"] for one in whole["history"]] == ["no_tariff"]
    assert call_id in str(system.get("/journal?has=price", "admin").json()["entries"])
    types = [one["type"] for one in system.get(f"/calls/{call_id}/timeline", "admin").json()["events"]]
    assert types[-2:] == ["rating_failed", "call_priced"]


def test_a_thousand_million_seconds_of_talk_have_no_price_but_a_reason(system: System) -> None:
    tariff(system)
    call_id = report_call(system, outbound(10**9))
    assert price_state(system, call_id, "failed")["reason"] == "talk_too_long"
    [failed] = send(system, "GET", "/charges?limit=1").json()["charges"]
    assert (failed["call_id"], failed["reason"], failed["number"]) == (call_id, "talk_too_long", "+380671234567")


def test_an_imported_price_list_is_a_draft_that_can_be_looked_at_and_thrown_away(system: System) -> None:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": str(uuid4())}
    answers = [
        send(system, "POST", "/tariffs/import?name=Імпорт&currency=UAH", data=CSV.encode("cp1251"), headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    drafted = answers[0].json()
    assert (drafted["name"], drafted["rate_count"], drafted["state"]) == ("Імпорт", 2, "draft")
    assert (drafted["rates"][0]["per_minute"], drafted["rates"][0]["minimum_seconds"]) == ("1.20", 1)
    path = f"/tariffs/{drafted['id']}"
    assert send(system, "GET", path).json() == drafted
    assert send(system, "PUT", path, json=DRAFT).json()["version"] == 2
    assert send(system, "DELETE", path).status_code == 204
    assert send(system, "GET", path).status_code == 404


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ("outbound,+38O67,1.20,6", {"3.prefix": ["prefix_invalid"]}),
        (
            "outbound,+38067,-1.20,6\n\noutbound,+38050,1.20,0",
            {"3.per_minute": ["amount_out_of_range"], "5.increment_seconds": ["out_of_range"]},
        ),
        ("outbound,+380,2.00,6", {"3.prefix": ["duplicate_rate"]}),
        ("outbound,+38067", {"3": ["wrong_number_of_cells"]}),
    ],
    ids=["a letter in the prefix", "a negative rate, an increment of 0", "an overlap", "too few columns"],
)
def test_a_price_list_with_a_bad_line_is_told_by_line_and_column_and_nothing_of_it_is_kept(
    system: System, content: str, errors: Json
) -> None:
    before = send(system, "GET", "/tariffs").json()["tariffs"]
    price_list = f"direction,prefix,per_minute,increment_seconds\noutbound,+380,1.00,1\n{content}\n"
    headers = {"Content-Type": "text/csv"}
    refused = send(system, "POST", "/tariffs/import?name=Ціни&currency=UAH", data=price_list.encode(), headers=headers)
    assert refused.status_code == 422
    assert {path: [error["code"] for error in found] for path, found in refused.json()["errors"].items()} == errors
    assert send(system, "GET", "/tariffs").json()["tariffs"] == before


@pytest.mark.parametrize(
    ("query", "body", "kind", "status", "field"),
    [
        ("name=Ціни&currency=ГРН", CSV, "text/csv", 422, "currency"),
        ("currency=UAH", CSV, "text/csv", 422, "name"),
        ("name=Ціни&currency=UAH", "", "text/csv", 422, "1"),
        ("name=Ціни&currency=UAH", CSV, "application/json", 415, None),
    ],
)
def test_what_is_no_price_list_of_a_currency_is_refused(
    system: System, query: str, body: str, kind: str, status: int, field: str | None
) -> None:
    headers = {"Content-Type": kind}
    refused = send(system, "POST", f"/tariffs/import?{query}", data=body.encode(), headers=headers)
    assert (refused.status_code, next(iter(refused.json().get("errors", {})), None)) == (status, field)


def test_tariffs_are_paged_the_newest_first(system: System) -> None:
    drafted = [send(system, "POST", "/tariffs", json=DRAFT).json()["id"] for _ in range(3)]
    first = send(system, "GET", "/tariffs?limit=2").json()
    assert [one["id"] for one in first["tariffs"]] == [drafted[2], drafted[1]]
    second = send(system, "GET", f"/tariffs?limit=1&cursor={first['next_cursor']}").json()
    assert second["tariffs"][0]["id"] == drafted[0]
    everything = send(system, "GET", "/tariffs?limit=200").json()["tariffs"]
    last = send(system, "GET", f"/tariffs?limit={len(everything)}").json()
    assert (last["tariffs"], last["next_cursor"]) == (everything, None)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"currency": "ГРН"}, "currency"),
        ({"name": ""}, "name"),
        ({"colour": "red"}, "colour"),
        ({"rates": {}}, "rates"),
        ({"rates": [{**RATE, "prefix": "+38O67"}]}, "rates.0.prefix"),
        ({"rates": [{**RATE, "increment_seconds": 0}]}, "rates.0.increment_seconds"),
        ({"rates": [RATE, {**RATE, "per_minute": "-1"}]}, "rates.1.per_minute"),
        ({"rates": [RATE, RATE]}, "rates.1.prefix"),
        ({"rounding": {"mode": "sideways"}}, "rounding.mode"),
    ],
)
def test_a_tariff_that_makes_no_sense_is_refused_by_field(system: System, changed: Json, field: str) -> None:
    refused = send(system, "POST", "/tariffs", json={**DRAFT, **changed})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])


def test_more_rates_than_a_tariff_may_have_are_refused_before_they_are_read(system: System) -> None:
    rates = ",".join(["{}"] * (MAX_RATES_PER_TARIFF + 1))
    body = f'{{"name": "Ціни", "currency": "UAH", "rounding": {{}}, "rates": [{rates}]}}'.encode()
    refused = send(system, "POST", "/tariffs", data=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    [error] = refused.json()["errors"]["rates"]
    assert (error["code"], error["params"]) == ("too_many_rates", {"max": MAX_RATES_PER_TARIFF})


def test_a_draft_without_rates_is_kept_but_not_activated(system: System) -> None:
    drafted = send(system, "POST", "/tariffs", json={**DRAFT, "rates": []}).json()
    refused = send(system, "POST", f"/tariffs/{drafted['id']}/activate", json={"from": "2020-01-01T00:00:00Z"})
    check_problem(refused, 409, "tariff_has_no_rates")


@pytest.mark.parametrize("by", ["olha", "super"])
def test_tariffs_are_the_business_of_administrators_and_accountants(system: System, by: str) -> None:
    for method, path in (("GET", "/tariffs"), ("POST", "/tariffs"), ("GET", "/charges"), ("POST", "/charges/retry")):
        assert send(system, method, path, by).status_code == 403


def test_another_companys_tariff_and_price_are_not_there(system: System) -> None:
    used, call_id = tariff(system), report_call(system, outbound(10))
    price_state(system, call_id, "priced")
    assert send(system, "GET", f"/tariffs/{used['id']}", "foreign").status_code == 404
    assert send(system, "PUT", f"/tariffs/{used['id']}", "foreign", json={}).status_code == 404
    assert send(system, "GET", f"/calls/{call_id}/price", "foreign").status_code == 404
    assert send(system, "GET", f"/calls/{call_id}/price", "petro").status_code == 404


def test_a_period_is_rated_again_and_a_draft_is_tried_on_it(system: System) -> None:
    call_id = report_call(system, outbound(75))
    price_state(system, call_id, "priced")
    dearer = [{**RATE, "per_minute": "0.06"}]
    draft = send(system, "POST", "/tariffs", json={**DRAFT, "rates": dearer}).json()["id"]
    day = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}

    def report_of(**words: Any) -> Json:
        begun = send(system, "POST", "/rerating", json={**day, **words})
        assert begun.status_code == 202, begun.text
        path = f"/rerating/{begun.json()['id']}"
        assert send(system, "GET", path, "foreign").status_code == 404
        assert send(system, "GET", path, "olha").status_code == 403
        return eventually(lambda: (one := send(system, "GET", path).json())["state"] == "done" and one)

    tried = report_of(tariff=draft, dry_run=True)
    assert (len(tried["by_prefix"]), tried["next_cursor"]) == (1, None)
    [total] = tried["totals"]
    assert float(total["after"]) > float(total["before"]) > 0
    assert price_state(system, call_id, "priced")["amount"] == "0.0078"
    tariff(system, rates=dearer)
    assert report_of(dry_run=False)["calls"]["changed"] > 0
    eventually(lambda: price_state(system, call_id, "priced")["amount"] == "0.0780")
    [earlier] = system.get(f"/calls/{call_id}/price", "admin").json()["history"]
    assert (earlier["amount"], earlier["difference"], earlier["why"]) == ("0.0078", "0.0702", "rerated")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z", "dry_run": True}, "to"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, "dry_run"),
        ({"from": "2026-01-01", "to": "2026-01-02T00:00:00Z", "dry_run": True}, "from"),
    ],
)
def test_a_rerating_that_makes_no_sense_is_refused_by_field(system: System, body: Json, field: str) -> None:
    refused = send(system, "POST", "/rerating", json=body)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])


def test_the_report_tells_what_calls_cost_by_day_prefix_and_operator(system: System) -> None:
    tariff(system)
    for caller in ("101", "102"):
        price_state(system, report_call(system, outbound(75, caller=caller)), "priced")

    def report_by(by: str, **span: str) -> requests.Response:
        asked = {"from": "2020-01-01", "to": "2100-01-01", "by": by, **span}
        return send(system, "GET", "/billing/report", params=asked)

    shown = {by: report_by(by).json() for by in ("day", "prefix", "operator")}
    [totals] = {str(one["totals"]) for one in shown.values()}
    assert shown["day"]["totals"][0]["calls"] > 0, totals
    assert {row["prefix"] for row in shown["prefix"]["rows"]} == {"outbound +38067"}
    assert {one["next_cursor"] for one in shown.values()} == {None}
    first = report_by("operator", limit="1").json()
    whole = [*first["rows"], *report_by("operator", cursor=first["next_cursor"]).json()["rows"]]
    assert whole == shown["operator"]["rows"]
    assert report_by("operator", cursor="x").json()["errors"]["cursor"][0]["code"] == "cursor_invalid"
    assert all(row["amount"] for row in shown["operator"]["rows"])
    assert (shown["day"]["from"], shown["day"]["by"]) == ("2019-12-31T22:00:00.000000Z", "day")
    assert report_by("day", to="2020-01-01").json()["errors"]["to"][0]["code"] == "not_after_start"
    assert report_by("colour").status_code == 422
    assert send(system, "GET", "/billing/report?from=2020-01-01&to=2100-01-01&by=day", "olha").status_code == 403


def test_a_price_is_in_the_journal_within_a_second_after_it_was_due_and_never_before(system: System) -> None:
    metrics, name = system.count_anew("projector"), "journal_price_lateness_seconds_"
    tariff(system)

    def counted() -> dict[str, float]:
        lines = (line.removeprefix(name).rsplit(" ", 1) for line in metrics().splitlines() if line.startswith(name))
        return {what: float(value) for what, value in lines}

    # On a machine that is shared one may be late, not the next one too.
    for _ in range(2):
        before = counted()
        if not before['bucket{le="1.0"}']:
            price_state(system, report_call(system, outbound(75)), "priced")
            eventually(lambda count=before["count"]: counted()["count"] > count)
    assert counted()['bucket{le="0.0"}'] == 0, "too early"
    assert counted()['bucket{le="1.0"}'] > 0, counted()
