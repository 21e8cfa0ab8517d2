"""A file of XLSX in the making keeps its rows in the folder that is given for them, and nowhere else."""

import tempfile

import openpyxl

from services.gateway.domain.exporting import COLUMNS, Language
from services.gateway.journal.export_writers import XlsxWriter
from tests.unit.gateway.test_entries import entry


def test_what_is_never_finished_goes_with_its_folder(tmp_path, monkeypatch):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    elsewhere.mkdir()
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    with (folder / "journal.xlsx").open("wb") as file:
        sheets = XlsxWriter(file, str(folder), Language.ENGLISH)
        sheets.add([entry()] * 100)
        assert len(list(folder.iterdir())) == 2
        sheets.close()
    assert [*folder.iterdir(), *elsewhere.iterdir()] == [folder / "journal.xlsx"]
    [sheet] = openpyxl.load_workbook(folder / "journal.xlsx").worksheets
    assert (sheet.max_row, sheet.max_column) == (101, len(COLUMNS))
