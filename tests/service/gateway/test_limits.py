"""Who comes too often is told when to come again; over several gateways as over one, with Redis there or not."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.service.gateway.conftest import SERVICE
from tests.service.gateway.factories import PASSWORD, Company, Gateway, report
from tests.support.infrastructure import Services, Stack, free_port
from tests.support.problems import check_problem
from tests.support.proxy import Proxy

pytestmark = pytest.mark.process

ME = "/api/v1/me"
SLOWLY = {"REQUESTS_PER_SECOND": "0.2", "REQUESTS_BURST": "10"}


def started(stack: Stack, services: Services, **told: str) -> Gateway:
    address = f"127.0.0.1:{free_port()}"
    services.start(SERVICE, of="gateway", WEB_ADDRESS=address, **told)
    return Gateway(f"http://{address}")


@pytest.fixture(scope="module")
def pair(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Gateway]]:
    """Two gateways that let each caller in ten times, and five wrong passwords a minute."""
    services = Services(stack, tmp_path_factory.mktemp("pair"))
    yield [started(stack, services, **SLOWLY) for _ in range(2)]
    services.stop()


def statuses(gateways: list[Gateway], times: int, **credentials: str) -> list[int]:
    return [gateways[n % len(gateways)]("GET", ME, **credentials).status_code for n in range(times)]


@pytest.mark.parametrize("times", [9, 10, 11])
def test_an_account_is_let_in_as_often_as_the_limit_says_over_both_gateways(pair, company: Company, times):
    token = pair[0].token("operator")
    assert statuses(pair, times, token=token) == [200] * min(times, 10) + [429] * (times - 10)


def test_who_comes_too_often_is_told_when_to_come_again(pair, company: Company):
    token = pair[0].token("operator")
    statuses(pair, 10, token=token)
    answer = pair[0]("GET", ME, token=token)
    check_problem(answer, 429, "too_many_requests")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 5


def test_several_sessions_are_one_account_and_several_accounts_are_not(pair, company: Company):
    here, there = pair[0].token("operator"), pair[1].token("operator")
    assert statuses(pair, 6, token=here) + statuses(pair, 5, token=there) == [200] * 10 + [429]
    assert statuses(pair, 1, token=pair[0].token("supervisor")) == [200]


def test_a_key_has_a_limit_of_its_own(pair, company: Company):
    sent = [pair[n % 2].send(company.keys["ingest"], report(company)).status_code for n in range(11)]
    assert sent == [202] * 10 + [429]
    assert statuses(pair, 1, key=company.keys["export"]) == [403]


def test_who_may_not_is_counted_too(pair, company: Company):
    assert statuses(pair, 11, key=company.keys["export"]) == [403] * 10 + [429]


@pytest.fixture
def login() -> str:
    """One that nobody has guessed at in another test."""
    return f"login-{uuid4()}"


def wrong(gateway: Gateway, login: str, address: str, password: str = "x") -> int:
    headers = {"X-Forwarded-For": address}
    answer = gateway("POST", "/api/v1/sessions", json={"login": login, "password": password}, headers=headers)
    if answer.status_code == 429:
        assert 1 <= int(answer.headers["Retry-After"]) <= 300
    return answer.status_code


@pytest.mark.parametrize("times", [4, 5, 6])
def test_five_wrong_passwords_are_the_limit_of_an_account_over_both_gateways(pair, company, login, times):
    address = str(uuid4().int % 200 + 1) + ".0.2.1"
    shown = [wrong(pair[n % 2], login, address) for n in range(times)]
    assert shown == [401] * min(times, 5) + [429] * (times - 5)


def test_a_wrong_password_where_it_is_changed_counts_as_one_that_is_shown_to_sign_in(pair, gateway_db, company, login):
    with gateway_db.connection() as conn:
        conn.execute("update accounts set login = %s where login = 'operator'", (login,))
    token, address = pair[0].token(login), "203.0.113.7"
    sent, headers = {"current": "wrong", "new": "калина при дорозі"}, {"X-Forwarded-For": address}

    def tried(n: int) -> int:
        return pair[n % 2]("PUT", "/api/v1/me/password", token=token, json=sent, headers=dict(headers)).status_code

    assert [tried(n) for n in range(6)] == [422] * 5 + [429]
    assert wrong(pair[0], login, address, PASSWORD) == 429


@pytest.mark.parametrize("times", [19, 20, 21])
def test_twenty_wrong_passwords_are_the_limit_of_an_address_over_both_gateways(pair, company, login, times):
    address = f"2001:db8:{uuid4().int % 65536:x}:{uuid4().int % 65536:x}::"
    shown = [wrong(pair[n % 2], f"{login}-{n}", f"{address}{n + 1:x}") for n in range(times)]
    assert shown == [401] * min(times, 20) + [429] * (times - 20)


def test_while_somebody_guesses_the_owner_signs_in_from_another_address(pair, gateway_db, company, login):
    with gateway_db.connection() as conn:
        conn.execute("update accounts set login = %s where login = 'operator'", (login,))
    guessed = Counter(wrong(pair[n % 2], login, "198.51.100.99") for n in range(30))
    assert guessed == {401: 5, 429: 25}
    assert wrong(pair[0], login, "192.0.2.99", PASSWORD) == 201
    assert wrong(pair[1], login, "198.51.100.99", PASSWORD) == 429


def test_a_wrong_password_counts_too_where_it_is_changed(pair, gateway_db, company, login):
    with gateway_db.connection() as conn:
        conn.execute("update accounts set login = %s where login = 'operator'", (login,))
    token, sent = pair[0].token(login), {"current": "не той", "new": "цілком новий пароль"}
    tried = [pair[n % 2]("PUT", "/api/v1/me/password", token=token, json=sent).status_code for n in range(6)]
    assert tried == [422] * 5 + [429]
    sent["current"] = PASSWORD
    assert pair[0]("PUT", "/api/v1/me/password", token=token, json=sent).status_code == 429


@pytest.mark.parametrize("times", [9, 10, 11])
def test_ten_exports_of_either_kind_are_the_limit_over_both_gateways(stack, services, company, times):
    gateways = [started(stack, services) for _ in range(2)]
    exports = ["/api/v1/journal/export?format=csv", "/api/v1/contacts/export"]
    token = gateways[0].token("administrator")
    answered = [gateways[n % 2]("GET", exports[n // 2 % 2], token=token) for n in range(times)]
    assert [answer.status_code for answer in answered] == [200] * min(times, 10) + [429] * (times - 10)
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in answered[10:])
    assert gateways[0]("GET", ME, token=token).status_code == 200


def test_an_address_that_a_client_makes_up_is_not_believed(stack, services, company, login):
    gateway = started(stack, services, TRUSTED_PROXIES="192.0.2.1")
    assert [wrong(gateway, login, f"192.0.2.{n}") for n in range(6)] == [401] * 5 + [429]


def test_a_hundred_guesses_at_once_are_not_a_hundred_guesses(pair, company, login):
    shown: list[int] = []
    threads = [
        threading.Thread(target=lambda: shown.append(wrong(Gateway(pair[0].url), login, "203.0.113.50")))
        for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 5 <= shown.count(401) <= 6
    assert shown.count(429) == 30 - shown.count(401)


@pytest.mark.parametrize("how", ["cut", "pause"])
def test_without_redis_each_gateway_limits_for_itself_and_says_so_once(stack, services, company, login, how):
    line = Proxy(stack.env("gateway")["REDIS_URL"])
    gateway = started(stack, services, REDIS_URL=line.uri, **SLOWLY)
    getattr(line, how)()
    token = gateway.token("operator")
    assert statuses([gateway], 11, token=token) == [200] * 10 + [429]
    assert [wrong(gateway, login, "203.0.113.9") for _ in range(6)] == [401] * 5 + [429]
    said = [line_ for line_ in services.running[-1].told() if "limits are" in line_["message"]]
    assert [one["message"] for one in said] == ["rate limits are local to this process: Redis is unavailable"]
    line.close()


def test_two_gateways_under_load_let_in_what_the_limit_says(stack, services, company):
    rate, burst, seconds = 10, 50, 6.0
    told = {"REQUESTS_PER_SECOND": str(rate), "REQUESTS_BURST": str(burst)}
    gateways = [started(stack, services, **told) for _ in range(2)]
    token = gateways[0].token("operator")
    answered: list[int] = []
    began = time.monotonic()

    def ask(url: str) -> None:
        client = Gateway(url)
        while time.monotonic() - began < seconds:
            answered.append(client("GET", ME, token=token).status_code)

    threads = [threading.Thread(target=ask, args=(gateways[n % 2].url,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answered) == {200, 429}
    assert answered.count(200) == pytest.approx(burst + rate * (time.monotonic() - began), rel=0.05)
