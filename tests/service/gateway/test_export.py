"""The journal taken away: all of what fits, in three formats, and nothing that a spreadsheet would calculate."""

import csv
import json
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
import requests

from services.gateway.domain.cells import plain
from services.gateway.domain.exporting import COLUMNS
from services.gateway.journal.schemas import EntrySchema
from shared.contracts.values import Status
from shared.plumbing.database import Postgres
from tests.integration.gateway.event_factories import (
    NOON,
    call_id,
    call_message,
    project_messages,
    project_states,
    state,
)
from tests.service.gateway.factories import Company, Gateway
from tests.support.infrastructure import eventually
from tests.support.problems import check_problem

pytestmark = pytest.mark.process

EXPORT = "/api/v1/journal/export"
CALLS = 600
"""More than a page of the export."""
FORMATS = ["csv", "xlsx", "ndjson"]
HOSTILE = [
    "=1+1",
    "+380501112233",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|' /C calc'!A0",
    "  =1+1",
    "＝1+1",
    "'=1+1",
    '","=1+1',
    'перенос\nрядка, "лапки"; і кома',
]
Rows = list[dict[str, Any]]


def exported(gateway: Gateway, format_: str, who: str = "administrator", **asked: Any) -> Any:
    answer = gateway("GET", EXPORT, token=gateway.token(who), params={"format": format_, "lang": "en", **asked})
    assert answer.status_code == 200, answer.text
    return answer


def read_csv(content: bytes) -> Rows:
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> Rows:
    sheets = openpyxl.load_workbook(BytesIO(content), read_only=True)
    header, *rows = sheets.worksheets[0].iter_rows(values_only=True)
    sheets.close()
    return [{name: value or "" for name, value in zip(header, row, strict=True)} for row in rows]


def read_ndjson(content: bytes) -> Rows:
    return [json.loads(line) for line in content.decode().splitlines()]


READ = {"csv": read_csv, "xlsx": read_xlsx, "ndjson": read_ndjson}


def ids(answer: Any, format_: str) -> list[str]:
    return [row["call_id"] for row in READ[format_](answer.content)]


@pytest.fixture
def calls(company: Company, gateway_db: Postgres) -> Company:
    """Call n was placed n seconds after noon; every third is the operator's."""
    made = [
        state(n, placed_at=NOON + timedelta(seconds=n), rung=[line], answered_by=[line])
        for n in range(CALLS)
        for line in ["103" if n % 3 else "101"]
    ]
    project_states(gateway_db, made, company.tenant)
    return company


@pytest.mark.parametrize("format_", FORMATS)
def test_all_that_fits_is_there_once_newest_first(gateway: Gateway, calls: Company, format_):
    assert ids(exported(gateway, format_), format_) == [str(call_id(n)) for n in range(CALLS - 1, -1, -1)]


@pytest.mark.parametrize("format_", FORMATS)
def test_an_operator_takes_own_calls_away_only(gateway: Gateway, calls: Company, other_company: Company, format_):
    assert ids(exported(gateway, format_, "operator"), format_) == [str(call_id(n)) for n in range(CALLS - 3, -1, -3)]
    assert ids(exported(gateway, format_, "other-administrator"), format_) == []


@pytest.mark.parametrize("asked", [{"party": "101"}, {"q": "10"}, {"status": "missed"}, {"to": "2026-11-22T12:10:00Z"}])
def test_there_are_as_many_rows_as_are_counted(gateway: Gateway, calls: Company, asked):
    counted = gateway("GET", "/api/v1/journal/summary", token=gateway.token("supervisor"), params=asked).json()["total"]
    assert {len(ids(exported(gateway, one, "supervisor", **asked), one)) for one in FORMATS} == {counted}


def test_a_line_of_ndjson_is_an_entry_as_the_journal_shows_it(gateway: Gateway, calls: Company):
    lines = read_ndjson(exported(gateway, "ndjson").content)[:50]
    assert all(EntrySchema().validate(line) == {} for line in lines)
    assert lines == gateway("GET", "/api/v1/journal", token=gateway.token("administrator")).json()["entries"]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_says_what_it_is(gateway: Gateway, calls: Company, format_):
    answer = exported(gateway, format_)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="journal-20')
    assert answer.headers["Content-Disposition"].endswith(f'.{format_}"')
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_header_is_ukrainian_unless_english_is_asked_for(gateway: Gateway, calls: Company):
    for lang, names in ({"lang": "en"}, [one.en for one in COLUMNS]), ({}, [one.uk for one in COLUMNS]):
        answer = gateway("GET", EXPORT, token=gateway.token("operator"), params={"format": "csv", **lang})
        assert answer.content.startswith(b"\xef\xbb\xbf")
        assert answer.content.decode("utf-8-sig").splitlines()[0].split(",") == _quoted(names)


def _quoted(names: list[str]) -> list[str]:
    line = StringIO()
    csv.writer(line).writerow(names)
    return line.getvalue().strip().split(",")


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_is_a_formula_and_everything_can_be_read(
    gateway: Gateway, company: Company, gateway_db: Postgres, said: str
):
    project_states(gateway_db, [state(caller=said, caller_name=said, line=said, reason=said)], company.tenant)
    [row] = read_csv(exported(gateway, "csv").content)
    told = [row["Caller: number"], row["Line"], row["Reason"]]
    assert all(cell.lstrip()[:1] not in "=+-@＝" and cell[:1] not in "\t\r=+-@" for cell in told)
    assert {plain(cell) for cell in told} == {said}
    book = openpyxl.load_workbook(BytesIO(exported(gateway, "xlsx").content))
    cells = [cell for line in book.worksheets[0].iter_rows(min_row=2) for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    [entry] = read_ndjson(exported(gateway, "ndjson").content)
    assert entry["line"] == said


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({}, "format"),
        ({"format": "pdf"}, "format"),
        ({"format": "csv", "lang": "ru"}, "lang"),
        ({"format": "csv", "limit": "1"}, "limit"),
    ],
)
def test_what_is_not_taken_is_refused_by_name(gateway: Gateway, company: Company, asked, name):
    answer = gateway("GET", EXPORT, token=gateway.token("operator"), params=asked)
    assert [path.partition(".")[0] for path in check_problem(answer, 422, "invalid")["errors"]] == [name]


@pytest.fixture
def long_calls(company: Company, gateway_db: Postgres) -> Company:
    """So much that an export of it waits for its client. Call n was placed n seconds after noon."""
    made = [state(n, caller="203", caller_name="ї" * 3000, placed_at=NOON + timedelta(seconds=n)) for n in range(2000)]
    project_states(gateway_db, made, company.tenant)
    return company


def begun(gateway: Gateway, path: str = f"{EXPORT}?format=ndjson", **who: str) -> requests.Response:
    """An export that waits for us to take it."""
    return Gateway(gateway.url)("GET", path, stream=True, **who)


def test_an_export_breaks_off_when_the_session_ends(gateway: Gateway, long_calls: Company):
    token = gateway.token("administrator")
    answer = begun(gateway, token=token)
    pieces = answer.iter_content(4096)
    next(pieces)
    assert Gateway(gateway.url)("DELETE", "/api/v1/sessions/current", token=token).status_code == 204
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        list(pieces)
    answer.close()


def test_keys_for_export_and_people_may_and_nobody_else(gateway: Gateway, company: Company):
    asked = {"format": "csv"}
    assert gateway("GET", EXPORT, key=company.keys["export"], params=asked).status_code == 200
    assert gateway("GET", EXPORT, key=company.keys["ingest"], params=asked).status_code == 403
    assert gateway("GET", EXPORT, params=asked).status_code == 401


@pytest.mark.parametrize("status", ["answered", None])
def test_what_comes_and_changes_meanwhile_changes_neither_which_nor_how_many(
    gateway: Gateway, long_calls: Company, gateway_db: Postgres, status
):
    asked = {"format": "ndjson"} | ({"status": status} if status else {})
    answer = gateway("GET", EXPORT, token=gateway.token("administrator"), params=asked, stream=True)
    lines = answer.iter_lines()
    first = next(lines)
    came = [state(f"new {n}", placed_at=NOON + timedelta(seconds=n + 0.5)) for n in range(-50, 2000, 100)]
    changed = [state(n, status=Status.MISSED, placed_at=NOON - timedelta(days=1)) for n in range(0, 2000, 7)]
    project_states(gateway_db, came, long_calls.tenant)
    project_messages(gateway_db, *(call_message(one, version=2, tenant=long_calls.tenant) for one in changed))
    assert [json.loads(line)["call_id"] for line in [first, *lines]] == [str(call_id(n)) for n in range(1999, -1, -1)]


@pytest.mark.parametrize("times", [3, 4, 5])
def test_four_exports_at_once_are_the_limit_of_an_account(gateway: Gateway, long_calls: Company, times):
    token = gateway.token("administrator")
    answers = [begun(gateway, token=token) for _ in range(times)]
    assert [answer.status_code for answer in answers] == [200] * min(times, 4) + [429] * (times - 4)
    assert all(answer.headers["Retry-After"] == "1" for answer in answers[4:])
    assert begun(gateway, key=long_calls.keys["export"]).status_code == 200
    for answer in answers:
        answer.close()


@pytest.mark.parametrize("ending", ["taken", "left"])
def test_an_export_that_is_over_makes_room_for_another(gateway: Gateway, long_calls: Company, ending):
    token = gateway.token("administrator")
    first, *others = (begun(gateway, token=token) for _ in range(4))
    assert begun(gateway, "/api/v1/contacts/export", token=token).status_code == 429
    _ = first.content if ending == "taken" else first.close()
    eventually(lambda: begun(gateway, token=token).status_code == 200)
    for answer in others:
        answer.close()
