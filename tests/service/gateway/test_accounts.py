"""People and their lines over HTTP: who keeps them, what ends with a change, and that a company is never shut out."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shared.plumbing import clock
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import NOON, call_id, project_states, state
from tests.service.gateway.factories import PASSWORD, Company, Gateway, at_once
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem

ACCOUNTS = "/api/v1/accounts"
SAID = "калина при дорозі"
NEW = {"login": "olha", "password": SAID, "name": "Ольга Їжакевич", "role": "operator"}
Ask = Callable[..., Any]


@pytest.fixture
def ask(gateway: Gateway, company: Company) -> Ask:
    """Asks as the administrator."""
    token = gateway.token("administrator")
    return lambda method, path, body=None, **how: gateway(method, path, token=token, json=body, **how)


def one(company: Company, role: str = "operator", rest: str = "") -> str:
    return f"{ACCOUNTS}/{company.people[role]}{rest}"


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [account["name"] for account in answer.json()["accounts"]]


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["call_id"] for entry in answer.json()["entries"]]


def ended(gateway: Gateway, token: str) -> bool:
    return gateway("GET", "/api/v1/me", token=token).status_code == 401


class TestLettingIn:
    def test_somebody_is_let_in_with_a_role_and_lines(self, ask: Ask, gateway: Gateway):
        lines = [{"address": "205"}, {"address": "050 123 45 67", "from": "2026-01-01T00:00:00+02:00"}]
        answer = ask("POST", ACCOUNTS, {**NEW, "lines": lines})
        made = answer.json()
        assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
        assert {name: made[name] for name in ("login", "name", "role", "tenant", "disabled")} == {
            "login": "olha",
            "name": "Ольга Їжакевич",
            "role": "operator",
            "tenant": "oselia",
            "disabled": False,
        }
        assert [(line["address"], line["from"], line["until"]) for line in made["lines"]] == [
            ("205", None, None),
            ("+380501234567", "2025-12-31T22:00:00.000000Z", None),
        ]
        me = gateway("GET", "/api/v1/me", token=gateway.token("olha", SAID)).json()
        assert (me["account"]["id"], me["lines"]) == (made["id"], made["lines"])

    def test_a_password_is_never_told(self, ask: Ask):
        told = ask("POST", ACCOUNTS, NEW).text + ask("GET", ACCOUNTS).text
        assert "argon2" not in told
        assert SAID not in told

    def test_a_login_that_is_taken_is_refused(self, ask: Ask):
        answer = ask("POST", ACCOUNTS, {**NEW, "login": "operator"})
        assert check_problem(answer, 409, "login_taken")["params"] == {"login": "operator"}

    def test_of_two_with_one_login_at_once_one_is_let_in(self, gateway_process: Gateway, company: Company):
        asking = partial(
            Gateway.__call__, method="POST", path=ACCOUNTS, token=gateway_process.token("administrator"), json=NEW
        )
        assert sorted(answer.status_code for answer in at_once(asking, asking, of=gateway_process)) == [201, 409]

    def test_nobody_is_let_in_with_a_line_that_another_holds(self, ask: Ask, gateway: Gateway):
        answer = ask("POST", ACCOUNTS, {**NEW, "lines": [{"address": "205"}, {"address": "101"}]})
        assert answer.status_code == 409
        assert check_problem(answer, 409, "line_taken")["params"] == {
            "address": "101",
            "name": "Operator",
            "from": "2020-01-01T00:00:00.000000Z",
            "until": None,
        }
        assert gateway.sign_in("olha", SAID).status_code == 401
        assert names(ask("GET", ACCOUNTS, params={"q": "Їжак"})) == []

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"password": "короткі"}, "password"),
            ({"password": "п" * 1025}, "password"),
            ({"login": "olha-olha", "password": "Olha-Olha"}, "password"),
            ({"login": ""}, "login"),
            ({"login": "двоє слів"}, "login"),
            ({"name": "  "}, "name"),
            ({"name": "Ольга\nЇжакевич"}, "name"),
            ({"name": "О" * 201}, "name"),
            ({"role": "президент"}, "role"),
            ({"lines": [{"address": "не номер"}]}, "lines.0.address"),
            ({"lines": [{"address": "205", "until": None}]}, "lines.0.until"),
            ({"tenant": "krynytsia"}, "tenant"),
            ({"id": str(uuid4())}, "id"),
            ({"disabled": False}, "disabled"),
        ],
    )
    def test_what_is_wrong_is_named(self, ask: Ask, changed, field):
        answer = ask("POST", ACCOUNTS, {**NEW, **changed})
        check_problem(answer, 422, "invalid", field)

    @pytest.mark.parametrize("password", ["п" * 8, "п" * 1024])
    def test_eight_letters_are_a_password_and_so_are_a_thousand(self, ask: Ask, gateway: Gateway, password):
        assert ask("POST", ACCOUNTS, {**NEW, "password": password}).status_code == 201
        assert gateway.sign_in("olha", password).status_code == 201


class TestTheList:
    def test_it_is_in_ukrainian_order_and_comes_in_pages(self, ask: Ask, company: Company, gateway_db: Postgres):
        with gateway_db.connection() as conn:
            for login, name in {
                "operator": "Їжак",
                "supervisor": "Ґудзь",
                "accountant": "Гай",
                "administrator": "Яр",
            }.items():
                conn.execute(
                    "update accounts set name = %s, folded_name = lower(%s) where login = %s", (name, name, login)
                )
        seen, cursor = [], None
        while True:
            page = ask("GET", ACCOUNTS, params={"limit": 1, **({"cursor": cursor} if cursor else {})})
            seen += names(page)
            cursor = page.json()["next_cursor"]
            if cursor is None:
                break
        assert seen == ["Гай", "Ґудзь", "Їжак", "Яр"]

    def test_a_part_of_a_name_or_login_finds(self, ask: Ask):
        ask("POST", ACCOUNTS, {**NEW, "name": "Мар’яна Об'їзд"})
        assert names(ask("GET", ACCOUNTS, params={"q": "МАР'ЯНА"})) == ["Мар’яна Об'їзд"]
        assert names(ask("GET", ACCOUNTS, params={"q": "LHA"})) == ["Мар’яна Об'їзд"]
        assert names(ask("GET", ACCOUNTS, params={"q": "100%"})) == []

    def test_an_account_shows_its_lines(self, ask: Ask, company: Company):
        found = ask("GET", one(company)).json()
        assert [line["address"] for line in found["lines"]] == ["101"]
        assert found in ask("GET", ACCOUNTS).json()["accounts"]

    @pytest.mark.parametrize("word", ["x", "AAAA", "їжак", "'"])
    def test_a_cursor_that_is_not_ours_is_refused(self, ask: Ask, word):
        assert ask("GET", ACCOUNTS, params={"cursor": word}).status_code == 422


class TestChanging:
    @pytest.mark.parametrize("changed", [{"role": "supervisor"}, {"password": SAID}, {"disabled": True}])
    def test_another_role_or_password_or_being_kept_out_ends_what_was_issued(self, ask, gateway, company, changed):
        token = gateway.token("operator")
        assert not ended(gateway, token)
        assert ask("PATCH", one(company), changed).status_code == 200
        eventually(lambda: ended(gateway, token), seconds=2)

    @pytest.mark.parametrize("changed", [{}, {"name": "Оксана"}, {"role": "operator"}, {"disabled": False}])
    def test_what_changes_nothing_of_that_ends_nothing(self, ask, gateway, company, changed):
        token = gateway.token("operator")
        assert ask("PATCH", one(company), changed).status_code == 200
        with pytest.raises(pytest.fail.Exception):
            eventually(lambda: ended(gateway, token), seconds=1.5, every=0.3)

    def test_who_is_kept_out_comes_in_again_when_let_but_not_on_the_old_token(self, ask, gateway, company):
        token = gateway.token("operator")
        assert ask("PATCH", one(company), {"disabled": True}).json()["disabled"] is True
        assert gateway.sign_in("operator").status_code == 401
        assert ask("PATCH", one(company), {"disabled": False}).json()["disabled"] is False
        assert gateway.sign_in("operator").status_code == 201
        eventually(lambda: ended(gateway, token), seconds=2)

    def test_a_new_password_is_the_only_one(self, ask, gateway, company):
        ask("PATCH", one(company), {"password": SAID})
        assert gateway.sign_in("operator").status_code == 401
        assert gateway.sign_in("operator", SAID).status_code == 201

    def test_a_name_is_shown_at_once_where_people_look(self, ask, company, gateway_db):
        project_states(gateway_db, [state()], company.tenant)
        ask("PATCH", one(company), {"name": "Оксана Мовчан"})
        [entry] = ask("GET", "/api/v1/journal", params={"q": "мовчан"}).json()["entries"]
        assert entry["answered_by"]["name"] == "Оксана Мовчан"

    @pytest.mark.parametrize("property_", ["id", "tenant", "login", "session_version", "password_hash", "created_at"])
    def test_what_is_not_for_changing_is_refused(self, ask, company, property_):
        answer = ask("PATCH", one(company), {property_: "x"})
        check_problem(answer, 422, "invalid", property_)

    def test_the_login_is_no_password(self, ask, company):
        assert ask("PATCH", one(company), {"password": "OPERATOR"}).status_code == 422

    def test_an_account_of_another_company_is_not_there(self, ask, company, other_company):
        for method, path, body in [
            ("GET", one(other_company), None),
            ("PATCH", one(other_company), {"role": "president"}),
            ("GET", one(other_company, rest="/lines"), None),
            ("POST", one(other_company, rest="/lines"), {"address": "300"}),
            ("PATCH", f"{ACCOUNTS}/{uuid4()}", {}),
        ]:
            assert ask(method, path, body).status_code == 404, path


class TestTheLastAdministrator:
    @pytest.mark.parametrize("changed", [{"role": "supervisor"}, {"disabled": True}])
    def test_is_not_taken_from_a_company(self, ask, gateway, company, changed):
        answer = ask("PATCH", one(company, "administrator"), changed)
        check_problem(answer, 409, "last_administrator")
        assert gateway.sign_in("administrator").json()["account"]["role"] == "administrator"

    def test_is_not_the_last_when_there_is_another(self, ask, gateway, company):
        assert ask("PATCH", one(company), {"role": "administrator"}).status_code == 200
        assert ask("PATCH", one(company, "administrator"), {"disabled": True}).status_code == 200
        assert gateway.sign_in("administrator").status_code == 401

    def test_is_the_last_when_the_other_is_kept_out(self, ask, company):
        ask("PATCH", one(company), {"role": "administrator"})
        ask("PATCH", one(company), {"disabled": True})
        assert ask("PATCH", one(company, "administrator"), {"role": "operator"}).status_code == 409

    def test_of_two_who_go_at_once_one_stays(self, gateway, gateway_process, company, gateway_db):
        for _ in range(5):
            with gateway_db.connection() as conn:
                conn.execute("update accounts set role = 'administrator' where login in ('administrator', 'operator')")
            tokens = {role: gateway.token(role) for role in ("administrator", "operator")}
            going = [
                partial(
                    Gateway.__call__, method="PATCH", path=one(company, role), token=token, json={"role": "supervisor"}
                )
                for role, token in tokens.items()
            ]
            answers = [answer.status_code for answer in at_once(*going, of=gateway_process)]
            assert sorted(answers) == [200, 409]


class TestLines:
    def test_an_extension_changes_hands_and_leaves_its_past(self, ask, gateway, company, gateway_db):
        handed_over = NOON + timedelta(minutes=5)
        made = [state(n, placed_at=NOON + timedelta(minutes=n)) for n in (0, 10)]
        project_states(gateway_db, made, company.tenant)
        [line] = ask("GET", one(company, rest="/lines")).json()["lines"]
        ended_ = ask("PATCH", one(company, rest=f"/lines/{line['id']}"), {"until": handed_over.isoformat()})
        assert (ended_.status_code, ended_.json()["until"]) == (200, "2026-11-22T12:05:00.000000Z")
        taken = ask("POST", one(company, "accountant", "/lines"), {"address": "101", "from": handed_over.isoformat()})
        assert taken.status_code == 201
        eventually(lambda: ids(gateway("GET", "/api/v1/journal", token=gateway.token("operator"))) == [str(call_id(0))])
        assert ids(gateway("GET", "/api/v1/journal", token=gateway.token("accountant"))) == [str(call_id(10))]
        answered_by = [entry["answered_by"]["name"] for entry in ask("GET", "/api/v1/journal").json()["entries"]]
        assert answered_by == ["Accountant", "Operator"]

    def test_a_line_that_is_held_is_refused_with_whose_it_is(self, ask, company):
        before = {"address": "101", "from": "2019-12-31T00:00:00Z"}
        for body in ({"address": "101"}, before, {"address": "101", "from": "2026-11-22T12:00:00Z"}):
            answer = ask("POST", one(company, "accountant", "/lines"), body)
            assert check_problem(answer, 409, "line_taken")["params"]["name"] == "Operator"

    def test_of_two_who_are_given_a_line_at_once_one_gets_it(self, gateway, gateway_process, company):
        token, new = gateway.token("administrator"), {"address": "205", "from": "2026-11-22T12:00:00Z"}
        both = [
            partial(Gateway.__call__, method="POST", path=one(company, role, "/lines"), token=token, json=new)
            for role in ("operator", "accountant")
        ]
        assert sorted(answer.status_code for answer in at_once(*both, of=gateway_process)) == [201, 409]

    def test_a_line_is_not_held_again_over_who_has_it_now(self, ask, company):
        [line] = ask("GET", one(company, rest="/lines")).json()["lines"]
        door = one(company, rest=f"/lines/{line['id']}")
        ask("PATCH", door, {"until": "2026-11-22T12:00:00Z"})
        ask("POST", one(company, "accountant", "/lines"), {"address": "101", "from": "2026-11-22T12:00:00Z"})
        answer = ask("PATCH", door, {"until": None})
        params = check_problem(answer, 409, "line_taken")["params"]
        assert (params["name"], params["from"]) == ("Accountant", "2026-11-22T12:00:00.000000Z")

    def test_an_end_that_was_a_mistake_is_taken_back(self, ask, company):
        [line] = ask("GET", one(company, rest="/lines")).json()["lines"]
        door = one(company, rest=f"/lines/{line['id']}")
        ask("PATCH", door, {"until": clock.now().isoformat()})
        assert ask("PATCH", door, {"until": None}).json() == line

    @pytest.mark.parametrize("until", ["2020-01-01T00:00:00Z", "2019-12-31T00:00:00Z", "учора", 5])
    def test_a_line_ends_after_it_begins(self, ask, company, until):
        [line] = ask("GET", one(company, rest="/lines")).json()["lines"]
        answer = ask("PATCH", one(company, rest=f"/lines/{line['id']}"), {"until": until})
        check_problem(answer, 422, "invalid", "until")

    def test_a_line_of_another_account_is_not_there(self, ask, company):
        [line] = ask("GET", one(company, rest="/lines")).json()["lines"]
        path = one(company, "accountant", f"/lines/{line['id']}")
        assert ask("PATCH", path, {"until": clock.now().isoformat()}).status_code == 404

    def test_lines_come_in_pages(self, ask, company):
        for address in ("sip:101@pbx", "102", "+380501234567"):
            assert ask("POST", one(company, rest="/lines"), {"address": address}).status_code == 201
        first = ask("GET", one(company, rest="/lines"), params={"limit": 3}).json()
        rest = ask("GET", one(company, rest="/lines"), params={"cursor": first["next_cursor"]}).json()
        assert (len(first["lines"]), len(rest["lines"]), rest["next_cursor"]) == (3, 1, None)


class TestOnesOwnPassword:
    def test_a_new_one_ends_every_session_and_this_one_at_once(self, gateway, company):
        here, there = gateway.token("operator"), gateway.token("operator")
        sent = {"current": PASSWORD, "new": SAID}
        assert gateway("PUT", "/api/v1/me/password", token=here, json=sent).status_code == 204
        assert ended(gateway, here)
        eventually(lambda: ended(gateway, there), seconds=2)
        assert gateway.sign_in("operator").status_code == 401
        assert gateway.sign_in("operator", SAID).status_code == 201

    def test_of_two_new_ones_at_once_one_is_the_password(self, gateway, gateway_process, company):
        token, words = gateway.token("operator"), [SAID, f"{SAID} на горі"]
        both = [
            partial(
                Gateway.__call__,
                method="PUT",
                path="/api/v1/me/password",
                token=token,
                json={"current": PASSWORD, "new": new},
            )
            for new in words
        ]
        answers = [answer.status_code for answer in at_once(*both, of=gateway_process)]
        assert answers.count(204) == 1
        assert set(answers) <= {204, 401, 409, 422}
        assert [gateway.sign_in("operator", new).status_code == 201 for new in words] == [
            status == 204 for status in answers
        ]

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"current": SAID, "new": SAID}, "current"),
            ({"current": PASSWORD, "new": "короткі"}, "new"),
            ({"current": PASSWORD, "new": "Operator"}, "new"),
            ({"new": SAID}, "current"),
        ],
    )
    def test_what_is_wrong_is_named_and_changes_nothing(self, gateway, company, sent, field):
        token = gateway.token("operator")
        answer = gateway("PUT", "/api/v1/me/password", token=token, json=sent)
        check_problem(answer, 422, "invalid", field)
        assert gateway.sign_in("operator").status_code == 201
        assert not ended(gateway, token)


@pytest.mark.parametrize("role", ["supervisor", "operator", "accountant"])
def test_only_an_administrator_keeps_people(gateway: Gateway, company: Company, role):
    token = gateway.token(role)
    for method, path in [
        ("GET", ACCOUNTS),
        ("POST", ACCOUNTS),
        ("GET", one(company)),
        ("PATCH", one(company, role)),
        ("GET", one(company, rest="/lines")),
        ("POST", one(company, rest="/lines")),
        ("PATCH", one(company, rest=f"/lines/{uuid4()}")),
    ]:
        assert gateway(method, path, token=token, json={"role": "administrator"}).status_code == 403, path
        assert gateway(method, path).status_code == 401
