"""Contacts over HTTP: named by anybody, found by any part, shown wherever their number took part, in and out as CSV."""

import csv
import io
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import NUMBER, call_id, project_states, state
from tests.service.gateway.factories import Company, Gateway, at_once
from tests.support.problems import check_problem

CONTACTS, IMPORT, EXPORT = "/api/v1/contacts", "/api/v1/contacts/import", "/api/v1/contacts/export"
KATERYNA = {"name": "Катерина Власова", "number": "0501112233", "note": "після обіду"}
Ask = Callable[..., Any]


@pytest.fixture
def ask(gateway: Gateway, company: Company) -> Ask:
    """Asks as the supervisor."""
    token = gateway.token("supervisor")
    return lambda method, path, body=None, **how: gateway(method, path, token=token, json=body, **how)


@pytest.fixture
def bring(gateway: Gateway, company: Company) -> Ask:
    token, headers = gateway.token("supervisor"), {"Content-Type": "text/csv"}
    return lambda table, **more: gateway("POST", IMPORT, token=token, data=table, headers=headers | more)


def add(ask: Ask, **changed: Any) -> str:
    answer = ask("POST", CONTACTS, {**KATERYNA, **changed})
    assert answer.status_code == 201, answer.text
    contact_id: str = answer.json()["id"]
    return contact_id


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [contact["name"] for contact in answer.json()["contacts"]]


def kept(db: Postgres) -> set[tuple[Any, ...]]:
    with db.autocommit() as conn:
        return set(conn.execute("select tenant, number, name, note from contacts"))


class TestOneByOne:
    @pytest.mark.parametrize("role", ["administrator", "supervisor", "operator", "accountant"])
    def test_anybody_names_a_number_and_names_it_anew(self, gateway, company, role):
        token = gateway.token(role)
        made = gateway("POST", CONTACTS, token=token, json=KATERYNA)
        assert made.status_code == 201
        told = made.json()
        assert (told["name"], told["number"], told["note"]) == ("Катерина Власова", NUMBER, "після обіду")
        door = f"{CONTACTS}/{told['id']}"
        assert gateway("GET", door, token=token).json() == told
        changed = gateway("PUT", door, token=token, json={"name": " Катря ", "number": NUMBER})
        assert (changed.status_code, changed.json()["name"], changed.json()["note"]) == (200, "Катря", None)
        assert gateway("GET", door, token=token).json() == changed.json()

    @pytest.mark.parametrize("number", ["0501112233", "380501112233", "+380 50 111-22-33"])
    def test_a_number_has_one_name_and_it_is_said_whose(self, ask, number):
        add(ask)
        answer = ask("POST", CONTACTS, {"name": "Хтось інший", "number": number})
        assert answer.status_code == 409
        assert check_problem(answer, 409, "contact_exists")["params"] == {"number": NUMBER, "name": "Катерина Власова"}
        other = add(ask, number="0671112233", name="Марко")
        assert ask("PUT", f"{CONTACTS}/{other}", {"name": "Марко", "number": number}).status_code == 409

    def test_of_two_names_for_a_number_at_once_one_stays(self, gateway, gateway_process, company):
        token = gateway.token("operator")
        both = [
            partial(Gateway.__call__, method="POST", path=CONTACTS, token=token, json={**KATERYNA, "name": name})
            for name in ("Катерина", "Катря")
        ]
        answers = at_once(*both, of=gateway_process)
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        [made] = [answer.json() for answer in answers if answer.status_code == 201]
        assert gateway("GET", CONTACTS, token=token).json()["contacts"] == [made]

    def test_the_same_number_in_another_company_is_another_contact(self, ask, gateway, other_company):
        add(ask)
        token = gateway.token("other-operator")
        assert gateway("POST", CONTACTS, token=token, json={**KATERYNA, "name": "Інша"}).status_code == 201
        assert names(gateway("GET", CONTACTS, token=token)) == ["Інша"]
        assert names(ask("GET", CONTACTS)) == ["Катерина Власова"]

    def test_a_contact_of_another_company_is_not_there(self, ask, gateway, other_company):
        door, token = f"{CONTACTS}/{add(ask)}", gateway.token("other-administrator")
        for method in ("GET", "PUT", "DELETE"):
            assert gateway(method, door, token=token, json={"nonsense": 1}).status_code == 404
            assert ask(method, f"{CONTACTS}/{uuid4()}", {"nonsense": 1}).status_code == 404
        assert ask("GET", door).status_code == 200

    def test_only_who_leads_deletes_and_imports(self, ask, gateway, company):
        door = f"{CONTACTS}/{add(ask)}"
        for role in ("operator", "accountant"):
            token = gateway.token(role)
            assert gateway("DELETE", door, token=token).status_code == 403
            assert gateway("POST", IMPORT, token=token).status_code == 403
        assert ask("DELETE", door).status_code == 204
        assert ask("DELETE", door).status_code == 404
        assert names(ask("GET", CONTACTS)) == []

    def test_an_export_key_reads_and_writes_nothing(self, ask, gateway, company):
        door, key = f"{CONTACTS}/{add(ask)}", company.keys["export"]
        assert [gateway("GET", path, key=key).status_code for path in (CONTACTS, door, EXPORT)] == [200, 200, 200]
        tried = [("POST", CONTACTS), ("PUT", door), ("DELETE", door), ("POST", IMPORT)]
        assert {gateway(method, path, key=key, json=KATERYNA).status_code for method, path in tried} == {403}

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"name": " "}, "name"),
            ({"name": "К" * 201}, "name"),
            ({"name": "Кате\nрина"}, "name"),
            ({"name": "Кате\u202eрина"}, "name"),
            ({"name": None}, "name"),
            ({"number": ""}, "number"),
            ({"number": "Катерина"}, "number"),
            ({"number": 380501112233}, "number"),
            ({"number": "1" * 129}, "number"),
            ({"note": "н" * 1001}, "note"),
            ({"note": "\0"}, "note"),
            ({"tenant": "krynytsia"}, "tenant"),
            ({"id": str(uuid4())}, "id"),
        ],
    )
    def test_what_is_wrong_is_named(self, ask, changed, field):
        answer = ask("POST", CONTACTS, {**KATERYNA, **changed})
        check_problem(answer, 422, "invalid", field)

    @pytest.mark.parametrize("number", ["101", "sip:reception@pbx", "+380501112233", "5"])
    def test_an_extension_a_sip_address_and_a_number_may_be_named(self, ask, number):
        assert ask("GET", f"{CONTACTS}/{add(ask, number=number)}").json()["number"] == number


class TestSearch:
    @pytest.fixture
    def three(self, ask: Ask) -> None:
        add(ask)
        add(ask, name="Мар’яна Об'їзд", number="0671112233")
        add(ask, name="100% знижки", number="sip:sales@pbx")

    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("власов", ["Катерина Власова"]),
            ("ВЛАСОВ", ["Катерина Власова"]),
            ("  катерина   вла", ["Катерина Власова"]),
            ("мар'яна", ["Мар’яна Об'їзд"]),
            ("МАРʼЯНА", ["Мар’яна Об'їзд"]),
            ("об’їзд", ["Мар’яна Об'їзд"]),
            ("111 22-33", ["Катерина Власова", "Мар’яна Об'їзд"]),
            ("050 111 22 33", ["Катерина Власова"]),
            ("SALES", ["100% знижки"]),
            ("0%", ["100% знижки"]),
            ("%", ["100% знижки"]),
            ("_", []),
            ("нікого", []),
        ],
    )
    def test_a_part_of_a_name_or_number_finds_however_it_is_written(self, ask, three, q, found):
        assert names(ask("GET", CONTACTS, params={"q": q})) == found

    @pytest.mark.parametrize("q", ["", "  ", "q" * 101])
    def test_nothing_is_not_looked_for(self, ask, company, q):
        assert ask("GET", CONTACTS, params={"q": q}).status_code == 422

    def test_they_come_in_ukrainian_order_page_by_page_and_none_twice(self, ask):
        order = ["Ганна", "ґанок", "Євген", "Жанна", "іван", "Їжак", "Йосип", "Яр"]
        for place, name in enumerate(reversed(order)):
            add(ask, name=name, number=str(100 + place))
        seen, cursor = [], None
        while cursor is not None or not seen:
            page = ask("GET", CONTACTS, params={"limit": 3, "cursor": cursor} if cursor else {"limit": 3})
            seen += names(page)
            cursor = page.json()["next_cursor"]
        assert seen == order

    def test_of_the_same_name_none_is_lost_between_pages(self, ask):
        for number in range(100, 105):
            add(ask, name="Оля", number=str(number))
        first = ask("GET", CONTACTS, params={"limit": 2, "q": "оля"}).json()
        rest = ask("GET", CONTACTS, params={"q": "оля", "cursor": first["next_cursor"]}).json()
        numbers = {contact["number"] for contact in first["contacts"] + rest["contacts"]}
        assert (numbers, rest["next_cursor"]) == ({"100", "101", "102", "103", "104"}, None)


class TestTheJournal:
    def test_a_contact_of_today_names_the_calls_of_yesterday(self, ask, company, gateway_db):
        project_states(gateway_db, [state()], company.tenant)
        door = f"/api/v1/calls/{call_id(0)}"
        assert ask("GET", door).json()["caller"] == {"address": NUMBER, "name": None, "kind": "number"}
        assert ask("GET", "/api/v1/journal", params={"q": "власова"}).json()["entries"] == []
        contact = add(ask)
        named = {"address": NUMBER, "name": "Катерина Власова", "kind": "contact"}
        assert ask("GET", door).json()["caller"] == named
        for params in ({}, {"q": "ВЛАСОВА"}):
            [entry] = ask("GET", "/api/v1/journal", params=params).json()["entries"]
            assert entry["caller"] == named
        ask("PUT", f"{CONTACTS}/{contact}", {"name": "Катря", "number": NUMBER})
        assert ask("GET", door).json()["caller"]["name"] == "Катря"
        ask("DELETE", f"{CONTACTS}/{contact}")
        assert ask("GET", door).json()["caller"]["name"] is None


class TestTables:
    TABLE = "Номер;Ім'я;Примітка\r\n0501112233;Катерина Власова;після обіду\r\n0671112233;Мар’яна;\r\n"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
    def test_a_table_is_taken_as_a_spreadsheet_wrote_it(self, bring, gateway_db, encoding):
        answer = bring(self.TABLE.encode(encoding))
        assert (answer.status_code, answer.json()) == (200, {"added": 2, "changed": 0, "unchanged": 0})
        assert kept(gateway_db) == {
            ("oselia", NUMBER, "Катерина Власова", "після обіду"),
            ("oselia", "+380671112233", "Мар’яна", None),
        }

    def test_a_number_that_is_known_gets_the_name_of_the_table(self, ask, bring, gateway_db):
        contact = add(ask, name="Катря")
        answer = bring(self.TABLE.encode())
        assert answer.json() == {"added": 1, "changed": 1, "unchanged": 0}
        assert ask("GET", f"{CONTACTS}/{contact}").json()["name"] == "Катерина Власова"
        assert bring(self.TABLE.encode()).json() == {"added": 0, "changed": 0, "unchanged": 2}

    def test_a_table_without_notes_leaves_them_alone(self, ask, bring):
        contact = add(ask)
        assert bring(f"name,number\nКатря,{NUMBER}\n".encode()).json()["changed"] == 1
        assert ask("GET", f"{CONTACTS}/{contact}").json()["note"] == "після обіду"
        assert bring(f"name,number,note\nКатря,{NUMBER},\n".encode()).json()["changed"] == 1
        assert ask("GET", f"{CONTACTS}/{contact}").json()["note"] is None

    def test_of_a_table_with_mistakes_nothing_is_taken_and_all_are_told(self, bring, gateway_db):
        answer = bring("name,number\nОля,101\n,102\nПетро,\n".encode())
        check_problem(answer, 422, "file_has_errors", "3.name", "4.number")
        assert kept(gateway_db) == set()

    def test_what_is_no_table_is_refused(self, gateway, company, bring):
        token = gateway.token("supervisor")
        assert gateway("POST", IMPORT, token=token, json=[KATERYNA]).status_code == 415
        assert bring(b"").status_code == 422
        assert bring(b"\x98\xff\x98").status_code == 422

    def test_sixteen_mebibytes_are_taken_and_no_byte_more(self, bring):
        line = "x" * 1023 + "\n"
        table = ("name,number\n" + line * 16 * 1024)[: 16 * 1024 * 1024]
        assert bring(table.encode()).status_code == 422
        assert bring(table.encode() + b"\n").status_code == 413

    def test_an_export_opens_in_a_spreadsheet_and_calculates_nothing(self, ask, gateway):
        add(ask, name='=HYPERLINK("http://x")', note="+1")
        answer = ask("GET", EXPORT)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
        assert answer.content.startswith(b"\xef\xbb\xbf")
        assert list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))) == [
            ["name", "number", "note"],
            ['\'=HYPERLINK("http://x")', f"'{NUMBER}", "'+1"],
        ]

    def test_what_was_exported_is_imported_without_a_change(self, ask, bring, gateway_db):
        add(ask, name="'Лапки'; \"кома\", ʼ", note="рядок\nі ще один, =2")
        add(ask, name="-5", number="101", note=None)
        before = kept(gateway_db)
        assert bring(ask("GET", EXPORT).content).json() == {"added": 0, "changed": 0, "unchanged": 2}
        assert kept(gateway_db) == before

    def test_thousands_go_in_and_come_out_and_only_ones_own(self, ask, bring, gateway, other_company):
        rows = "".join(f"Абонент {n:05},067{n:07},\r\n" for n in range(5000))
        assert bring(f"name,number,note\r\n{rows}".encode()).json()["added"] == 5000
        exported = ask("GET", EXPORT).content.decode("utf-8-sig")
        assert exported == f"name,number,note\r\n{rows}".replace(",0", ",'+380")
        token = gateway.token("other-supervisor")
        assert gateway("GET", EXPORT, token=token).content.decode("utf-8-sig") == "name,number,note\r\n"
