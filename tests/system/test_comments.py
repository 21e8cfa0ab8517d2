"""The comment on a call, as people write it and as others see it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from shared.contracts.wire import Json
from tests.support.problems import check_problem
from tests.support.system import System
from tests.system.test_journal import inbound, report, report_call


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def call(system: System, now: datetime) -> str:
    """A call that 101 (Olha) answered and that rang at 102 (Petro) too."""
    key = str(uuid4())
    call_id = report_call(system, [*inbound(key, now), report(key, "ringing", now + timedelta(seconds=2), party="102")])
    system.entry(call_id, "admin", phase="ended", rung=["101", "102"])
    return call_id


def put(system: System, call: str, text: Any, by: str = "olha", **how: Any) -> requests.Response:
    version = {"version": how.pop("version")} if "version" in how else {}
    return system.send("PUT", f"/calls/{call}/comment", by, json={"text": text, **version}, **how)


def delete(system: System, call: str, by: str = "olha", **how: Any) -> requests.Response:
    return system.send("DELETE", f"/calls/{call}/comment", by, **how)


def shown(system: System, call: str, **how: Any) -> Json | None:
    entry: Json = system.send("GET", f"/calls/{call}", "admin", **how).json()
    comment: Json | None = entry["comment"]
    return comment


def history(system: System, call: str) -> list[Json]:
    versions: list[Json] = system.get(f"/calls/{call}/comment/history", "admin").json()["versions"]
    return versions


def test_a_comment_is_added_edited_and_deleted_and_the_next_question_shows_it(system: System, call: str) -> None:
    added = put(system, call, "  передзвонити 2 серпня\n")
    assert (added.status_code, added.json()["text"], added.json()["version"]) == (201, "передзвонити 2 серпня", 1)
    assert added.json()["author"]["name"] == "Ольга Кобилянська"
    assert shown(system, call) == added.json()
    edited = put(system, call, "передзвонити 3 серпня", by="super")
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    assert edited.json()["author"] == added.json()["author"]
    assert edited.json()["updated_at"] > edited.json()["created_at"] == added.json()["created_at"]
    [entry] = [one for one in system.get("/journal", "admin").json()["entries"] if one["call_id"] == call]
    assert entry["comment"] == edited.json()
    assert delete(system, call).status_code == 204
    assert shown(system, call) is None
    assert delete(system, call).status_code == 404
    assert put(system, call, "знову", by="petro").status_code == 201
    told = [(one["version"], one["action"], one["text"], one["author"]["name"]) for one in history(system, call)]
    assert told == [
        (1, "added", "передзвонити 2 серпня", "Ольга Кобилянська"),
        (2, "edited", "передзвонити 3 серпня", "Супервайзер Соломія"),
        (3, "deleted", None, "Ольга Кобилянська"),
        (4, "added", "знову", "Петро Вовк"),
    ]


def test_the_second_of_two_people_gets_409_and_the_others_text(system: System, call: str) -> None:
    put(system, call, "спільне")
    assert put(system, call, "Ольжине", by="olha", version=1).status_code == 200
    second = put(system, call, "Соломіїне", by="super", version=1)
    check_problem(second, 409, "comment_changed")
    assert second.json()["current"] == shown(system, call)
    assert second.json()["current"]["text"] == "Ольжине"
    assert put(system, call, "Соломіїне", by="super", version=2).status_code == 200


def test_who_adds_to_a_call_that_was_commented_meanwhile_gets_409_too(system: System, call: str) -> None:
    put(system, call, "перша", version=0)
    second = put(system, call, "друга", by="petro", version=0)
    assert (second.status_code, second.json()["current"]["text"]) == (409, "перша")
    delete(system, call)
    assert put(system, call, "третя", version=1).json()["current"] is None


def test_a_live_call_is_commented_and_keeps_it_when_it_ends(system: System, now: datetime) -> None:
    reports = inbound(str(uuid4()), now)
    call_id = report_call(system, reports[:2])
    system.entry(call_id, "olha", phase="ringing")
    assert put(system, call_id, "ще дзвонить").status_code == 201
    report_call(system, reports[2:])
    assert system.entry(call_id, "olha", phase="ended")["comment"]["text"] == "ще дзвонить"


def test_a_missed_call_that_is_returned_keeps_its_comment(system: System, now: datetime) -> None:
    key, back, number = str(uuid4()), str(uuid4()), f"+38067{uuid4().int % 10**7:07d}"
    missed = report_call(
        system,
        [
            report(key, "placed", now, direction="inbound", caller=number, callee="0443303018"),
            report(key, "ringing", now, party="101"),
            report(key, "ended", now + timedelta(seconds=9), by="caller", cause=16),
        ],
    )
    system.entry(missed, "olha", status="missed")
    put(system, missed, "передзвонити")
    later = now + timedelta(seconds=20)
    report_call(
        system,
        [
            report(back, "placed", later, direction="outbound", caller="101", callee=number),
            report(back, "answered", later, party=number),
            report(back, "ended", later + timedelta(seconds=5), by="caller", cause=16),
        ],
    )
    assert system.entry(missed, "olha", status="returned")["comment"]["text"] == "передзвонити"


def test_a_comment_is_found(system: System, call: str) -> None:
    word = f"Слово{uuid4().hex[:10]}"
    put(system, call, f"тут є {word}, і ще")
    for found in ({"q": word.lower()[2:]}, {"has": "comment", "q": word}):
        assert [one["call_id"] for one in system.get("/journal", "olha", **found).json()["entries"]] == [call]
    assert system.get("/journal", "lesia", q=word).json()["entries"] == []
    assert system.get("/journal", "foreign", q=word).json()["entries"] == []
    delete(system, call)
    assert system.get("/journal", "olha", q=word).json()["entries"] == []
    assert call not in {one["call_id"] for one in system.get("/journal", "olha", has="comment").json()["entries"]}


def test_the_timeline_has_the_events_of_every_owner_and_who_commented(system: System, call: str) -> None:
    put(system, call, "так")
    answer = system.get(f"/calls/{call}/timeline", "admin")
    told = answer.json()
    assert (list(told), "Degraded" in answer.headers) == (["events"], False)
    assert {one["owner"] for one in told["events"]} == {"calls", "comments"}
    assert [one["at"] for one in told["events"]] == sorted(one["at"] for one in told["events"])
    last = told["events"][-1]
    assert (last["type"], last["data"]["text"], last["by"]) == ("comment_added", "так", "Ольга Кобилянська")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ї" * 201, "comment_too_long"),
        ("", "blank"),
        ("   \n ", "blank"),
        (" \u200b\u200d\ufeff ", "blank"),
        ("а\u0007б", "control_character"),
        ("а\u0000б", "control_character"),
        ("\ud83d", "unstorable_character"),
        (12, "not_text"),
        (None, "null"),
        (["так"], "not_text"),
    ],
)
def test_each_text_that_is_none_has_its_own_answer(system: System, call: str, text: Any, code: str) -> None:
    answer = put(system, call, text)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    [error] = answer.json()["errors"]["text"]
    assert error["code"] == code


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "text"),
        ({"text": "так", "author": "я"}, 422, "author"),
        ({"text": "так", "version": -1}, 422, "version"),
        ({"text": "так", "version": 2**40}, 422, "version"),
        ({"text": "так", "version": "1"}, 422, "version"),
        ([], 422, ""),
    ],
)
def test_each_body_that_is_none_has_its_own_answer(
    system: System, call: str, body: Any, status: int, field: str
) -> None:
    answer = system.send("PUT", f"/calls/{call}/comment", "olha", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (status, [field])


def test_what_is_not_json_and_what_is_too_large(system: System, call: str) -> None:
    path, json = f"/calls/{call}/comment", {"Content-Type": "application/json"}
    assert system.send("PUT", path, "olha", data=b"{", headers=json).status_code == 400
    assert system.send("PUT", path, "olha", data="так".encode()).status_code == 415
    assert system.send("PUT", path, "olha", data=b" " * 70_000, headers=json).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_call_that_is_not_there_or_not_ones_own_is_404_before_the_body_is_read(
    system: System, call: str, method: str
) -> None:
    for unseen, login in ((str(UUID(int=5)), "admin"), ("slowo", "admin"), (call, "lesia"), (call, "foreign")):
        answer = system.send(method, f"/calls/{unseen}/comment", login, json={"text": ""})
        check_problem(answer, 404, "not_found")
        assert system.get(f"/calls/{unseen}/comment/history", login).status_code == 404


def test_an_operator_may_neither_edit_nor_delete_the_comment_of_another(system: System, call: str) -> None:
    put(system, call, "Ольжине", by="olha")
    for answer in (put(system, call, "Петрове", by="petro"), delete(system, call, by="petro")):
        check_problem(answer, 403, "comment_of_another_author")
    assert put(system, call, "Адине", by="admin").status_code == 200
    assert delete(system, call, by="super").status_code == 204


def test_a_key_may_not_comment(system: System, call: str) -> None:
    path = f"{system.url}/calls/{call}/comment"
    assert requests.put(path, json={"text": "так"}, timeout=10).status_code == 401
    key = {"X-Api-Key": system.keys["acme"]}
    assert requests.put(path, json={"text": "так"}, headers=key, timeout=10).status_code == 403


def test_a_repeat_under_the_same_key_is_answered_as_the_first_and_does_nothing(system: System, call: str) -> None:
    key = {"Idempotency-Key": f"ключ {uuid4()}".encode()}
    first = put(system, call, "перший", headers=key)
    put(system, call, "другий")
    again = put(system, call, "перший", headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert put(system, call, "інший", headers=key).status_code == 422
    gone = {"Idempotency-Key": str(uuid4())}
    assert [delete(system, call, headers=gone).status_code for _ in range(2)] == [204, 204]
    assert [one["action"] for one in history(system, call)] == ["added", "edited", "deleted"]
