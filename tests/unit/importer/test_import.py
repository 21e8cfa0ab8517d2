"""`journal import`: everything that can be understood arrives once, and the rest is told by line."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.feeds.asterisk.cdr_csv import MAX_ROW_DISTANCE
from tests.unit.feeds import switch
from tests.unit.feeds.test_asterisk_csv import BARE, IMPORTED, MASTER, PHONES
from tests.unit.importer.gateway import Gateway, listening
from tools import journal
from tools.importer import run, sender

TRUNKS = ["--trunks", "erin,frank,operator1", "--phones", ",".join(f"{name}={n}" for name, n in PHONES.items())]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gateway]:
    monkeypatch.setattr(sender, "MIN_PAUSE", 0.001)
    monkeypatch.setattr(sender, "MAX_PAUSE", 0.001)
    monkeypatch.chdir(tmp_path)
    with listening() as server:
        for name, value in {"BASE_URL": server.url, "TENANT": "acme", "INGEST_KEY": "k-1"}.items():
            monkeypatch.setenv(name, value)
        yield server


def by_id(reports: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {report["report_id"]: report for report in reports}


def csv_of(*rows: dict[str, str]) -> str:
    return "".join(
        ",".join(f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row.values()) + "\n" for row in rows
    )


def calls(many: int) -> Iterator[dict[str, str]]:
    for n in range(many):
        yield BARE | {"uniqueid": f"{1795373800 + n}.1"}


def test_an_asterisk_csv_is_imported_completely(gateway: Gateway, tmp_path: Path, capsys):
    file = shutil.copy(MASTER, tmp_path)
    assert journal.main(["import", "asterisk-csv", str(file), *TRUNKS]) == 0
    expected = [report for reports in IMPORTED.values() for report in reports]
    assert by_id(gateway.reports) == by_id(expected)
    assert gateway.keys == {"k-1"}
    assert capsys.readouterr().out == f"34 records: 24 calls, {len(expected)} reports accepted.\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Master.csv"]


def test_a_second_import_sends_the_same_reports(gateway: Gateway, tmp_path: Path):
    file = shutil.copy(MASTER, tmp_path)
    for _ in range(2):
        assert journal.main(["import", "asterisk-csv", str(file), *TRUNKS]) == 0
    first, second = gateway.batches
    assert first == second


def test_rejected_rows_are_listed_by_line(gateway: Gateway, tmp_path: Path, capsys):
    swapped = BARE | {"start": "ANSWERED", "disposition": BARE["start"], "uniqueid": "1795373899.1"}
    lines = csv_of(*calls(2)) + '"never closed,\n' + "\n" + csv_of(swapped) + csv_of(*calls(3))
    (tmp_path / "cdr.csv").write_text(lines)
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 1
    told = (tmp_path / "cdr.csv.not-understood").read_text().splitlines()
    assert [line.partition(":")[0] for line in told] == ["line 3", "line 5"]
    assert "columns swapped" in told[1]
    assert len({report["call"] for report in gateway.reports}) == 3
    assert "2 records were rejected" in capsys.readouterr().err


def test_names_with_quotes_line_feeds_and_legacy_encodings_are_imported(gateway: Gateway, tmp_path: Path):
    named = [
        BARE | {"clid": f'"{name}" <1001>', "uniqueid": f"{n}.1"} for n, name in enumerate(['а "б" в', "г\nд", "є"])
    ]
    (tmp_path / "cdr.csv").write_bytes(csv_of(*named).encode("cp1251"))
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 0
    names = {report["data"]["caller_name"] for report in gateway.reports if report["type"] == "placed"}
    assert names == {'а "б" в', "г д", "є"}


def test_the_header_is_read_and_not_counted(gateway: Gateway, tmp_path: Path):
    swapped = {name: BARE[name] for name in reversed(BARE)}
    (tmp_path / "cdr.csv").write_text(csv_of({name: name for name in swapped}, swapped))
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 0
    assert {report["call"] for report in gateway.reports} == {BARE["uniqueid"]}


def told_of(file: Path) -> list[str]:
    return [line.partition(":")[0] for line in file.read_text().splitlines()]


def test_a_row_refused_by_the_gateway_is_listed_by_its_line(gateway: Gateway, tmp_path: Path):
    gateway.refuses = lambda report: report["type"] == "placed" and report["call"] == "1795373801.1"
    (tmp_path / "cdr.csv").write_text(csv_of(*calls(3)))
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 1
    [told] = told_of(tmp_path / "cdr.csv.not-understood")
    assert told.startswith("line 2, report 1795373801.1")


def test_a_file_refused_by_the_gateway_is_listed_by_its_name(gateway: Gateway, tmp_path: Path):
    gateway.refuses = lambda report: report["type"] == "placed"
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "a.json").write_bytes(switch.json_of(switch.leg(switch.profile("101", "102", switch.A))))
    assert journal.main(["import", "freeswitch-json", "records"]) == 1
    [told] = told_of(tmp_path / "records.not-understood")
    assert told.startswith("a.json, report ")


def test_a_report_without_an_id_is_listed_by_its_line(gateway: Gateway, tmp_path: Path):
    gateway.refuses = lambda report: "report_id" not in report
    (tmp_path / "r.ndjson").write_text('\ufeff{"report_id": "r-1"}\n{"type": "ended"}\n', encoding="utf-8")
    assert journal.main(["import", "reports", "r.ndjson"]) == 1
    assert told_of(tmp_path / "r.ndjson.not-understood") == ["line 2"]


def test_a_malformed_first_line_is_the_only_rejected_one(gateway: Gateway, tmp_path: Path):
    (tmp_path / "cdr.csv").write_text('"","10"01",x\n' + csv_of(*calls(2)))
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 1
    assert told_of(tmp_path / "cdr.csv.not-understood") == ["line 1"]
    assert len({report["call"] for report in gateway.reports}) == 2


@pytest.mark.parametrize("head", [True, False])
def test_a_byte_order_mark_is_ignored(gateway: Gateway, tmp_path: Path, head: bool):
    lines = csv_of({name: name for name in BARE}) * head + csv_of(*calls(1))
    (tmp_path / "cdr.csv").write_text("\ufeff" + lines, encoding="utf-8")
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 0
    assert {report["call"] for report in gateway.reports} == {"1795373800.1"}


def test_a_header_without_a_required_column_stops_the_import(gateway: Gateway, tmp_path: Path, capsys):
    (tmp_path / "cdr.csv").write_text("calldate,clid,src,disposition\n" + "x,y,z,ANSWERED\n" * 3)
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 1
    assert "cdr.csv: line 1: The header has no column dst" in capsys.readouterr().err
    assert gateway.reports == []


@pytest.mark.parametrize("broken_off", [1, 3, 4])
def test_an_interrupted_import_resumes(gateway: Gateway, tmp_path: Path, capsys, broken_off, monkeypatch):
    monkeypatch.setattr(run, "MAX_REPORTS_PER_REQUEST", 900)
    many = 3 * MAX_ROW_DISTANCE
    lines = csv_of(*calls(many)) + "broken\n"
    (tmp_path / "cdr.csv").write_text(lines)
    gateway.answers = [202] * broken_off + [401]
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 1
    assert "401" in capsys.readouterr().err
    sent = len(gateway.reports)
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 1
    assert capsys.readouterr().out.startswith(f"{many + 1} records: {many} calls, ")
    assert len({report["call"] for report in gateway.reports}) == many
    assert len(by_id(gateway.reports)) == len(gateway.reports), "nothing was sent twice"
    assert sent < len(gateway.reports)
    assert (tmp_path / "cdr.csv.not-understood").read_text().count("line") == 1


def test_freeswitch_files_in_subfolders_are_imported(gateway: Gateway, tmp_path: Path):
    record = switch.leg(switch.profile("101", "102", switch.A))
    folder = tmp_path / "not-taken" / "2026"
    folder.mkdir(parents=True)
    (folder / f"a_{switch.A}.cdr.json").write_bytes(switch.json_of(record) + b"\n")
    (folder / f"{switch.A}.cdr.xml").write_bytes(switch.xml_of(record))
    (folder / "broken.json").write_text("{")
    assert journal.main(["import", "freeswitch-json", "not-taken"]) == 1
    assert len(by_id(gateway.reports)) == 2
    assert (
        (tmp_path / "not-taken.not-understood")
        .read_text()
        .startswith('2026/broken.json: {"": [{"code": "record_not_understood", "params": {"reason": "It is not JSON')
    )


def test_report_lines_are_imported_and_refused_ones_listed(gateway: Gateway, tmp_path: Path):
    made = [{"report_id": f"r-{n}", "call": "c", "type": "ended", "at": f"{n}", "data": {}} for n in range(1500)]
    gateway.refuses = lambda report: report["at"] in ("7", "1200")
    lines = [*map(json.dumps, made), "{", "[]", ""]
    (tmp_path / "reports.ndjson").write_text("\n".join(lines))
    assert journal.main(["import", "reports", "reports.ndjson"]) == 1
    assert len(by_id(gateway.reports)) == len(gateway.reports) == 1498
    assert {report["tenant"] for report in gateway.reports} == {"acme"}
    told = (tmp_path / "reports.ndjson.not-understood").read_text().splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "line 8, report r-7",
        "line 1501",
        "line 1502",
        "line 1201, report r-1200",
    ]


def test_an_unavailable_gateway_is_retried(gateway: Gateway, tmp_path: Path):
    gateway.answers = [503, 429, 502]
    (tmp_path / "cdr.csv").write_text(csv_of(*calls(1)))
    assert journal.main(["import", "asterisk-csv", "cdr.csv"]) == 0
    assert len(gateway.batches) == 1


def test_a_request_body_stays_below_the_limit(gateway: Gateway):
    client = sender.Sender(gateway.url, "k")
    assert client.send([{"report_id": str(n), "name": "ї" * 1000} for n in range(1500)]) == {}
    assert [len(batch) for batch in gateway.batches] == [936, 564]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["asterisk-csv", "nowhere.csv"], "nowhere.csv: No such file"),
        (["freeswitch-json", "nowhere"], "is not a folder"),
        (["asterisk-csv", "cdr.csv", "--zone", "Kyiv/Europe"], "not a time zone"),
        (["asterisk-csv", "cdr.csv", "--phones", "bob"], "bob=102"),
    ],
)
def test_a_wrong_command_prints_one_sentence(gateway: Gateway, tmp_path: Path, capsys, arguments, said):
    assert journal.main(["import", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_without_a_system_the_missing_option_is_named(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STACK_DIR", raising=False)
    assert journal.main(["import", "reports", "x"]) == 1
    assert "Give --to" in capsys.readouterr().err
