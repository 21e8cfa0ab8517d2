"""A table is read as whatever spreadsheet wrote it, and what cannot be read is told by line and column."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.directory import contact_csv
from services.gateway.directory.contacts import Contact
from services.gateway.directory.csv_reader import read
from shared.contracts.errors import Invalid
from shared.csv_tables import decode
from tests.support.problems import field_codes

TABLE = "name,number,note\nКатерина Власова,0501234567,після обіду\n"


def taken(text: str) -> list[Contact]:
    return contact_csv.parse_contacts(read(text, contact_csv.COLUMNS, contact_csv.REQUIRED_COLUMNS).lines, "UA")


def wrong(text: str) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refused:
        taken(text)
    return field_codes(refused.value.errors)


KATERYNA = Contact("Катерина Власова", "+380501234567", "після обіду")


class TestLetters:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
    def test_utf_8_with_and_without_a_mark_and_windows_1251_are_told_apart(self, encoding):
        assert taken(decode(TABLE.encode(encoding))) == [KATERYNA]

    @pytest.mark.parametrize("letters", ["Ґанок Їжак Єва І", "№ 5 – «Оселя»", "plain"])
    def test_every_ukrainian_letter_is_read_from_windows_1251(self, letters):
        assert decode(letters.encode("cp1251")) == letters

    def test_utf_8_gone_wrong_is_not_taken_for_windows_1251(self):
        broken = (TABLE * 3).encode().replace("обіду".encode(), b"\xd0", 1)
        with pytest.raises(Invalid) as refused:
            decode(broken)
        assert list(refused.value.errors) == ["2"]

    def test_what_says_that_it_is_utf_8_is_nothing_else(self):
        with pytest.raises(Invalid):
            decode(b"\xef\xbb\xbf" + TABLE.encode("cp1251"))

    def test_what_is_neither_is_refused_with_its_line(self):
        with pytest.raises(Invalid) as refused:
            decode("name,number\nОля,101\n".encode("cp1251") + b"\x98\xff,102")
        assert list(refused.value.errors) == ["3"]

    def test_a_whole_import_in_windows_1251_is_not_gathered_letter_by_letter(self):
        data = "Щ".encode("cp1251") * 1_000_000
        tracemalloc.start()
        assert len(decode(data)) == 1_000_000
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 8 * len(data)


class TestColumns:
    @pytest.mark.parametrize(
        "header",
        [
            "name,number,note",
            "NAME;Number; note ",
            "Ім'я;Номер;Примітка",
            "Імʼя,Телефон,Нотатка",
            "ПІБ;Номер телефону;Коментар",
            '"Ім’я","номер","note"',
        ],
    )
    def test_they_have_names_in_english_and_ukrainian(self, header):
        separator = ";" if ";" in header else ","
        line = separator.join(["Катерина Власова", "0501234567", "після обіду"])
        assert taken(f"{header}\r\n{line}\r\n") == [KATERYNA]

    def test_they_come_in_any_order_and_a_note_may_be_left_out(self):
        assert taken("Номер;Ім'я\n101;Оля") == [Contact("Оля", "101", None)]

    def test_empty_columns_and_lines_are_nothing(self):
        assert taken("\n\nname,number,,\n\nОля,101,,\n,,,\n") == [Contact("Оля", "101", None)]

    @pytest.mark.parametrize(
        ("header", "errors"),
        [
            ("name", {"1.number": ["missing_column"]}),
            ("name,number,Ім'я", {"1.ім'я": ["duplicate_column"]}),
        ],
    )
    def test_a_header_that_lacks_or_repeats_one_is_refused(self, header, errors):
        assert wrong(f"{header}\nОля,101\n") == errors

    def test_all_that_is_wrong_with_them_is_told_at_once(self):
        assert wrong("name,e-mail,Адреса\nОля,o@x,Київ\n") == {
            "1.number": ["missing_column"],
            "1.e-mail": ["unknown_column"],
            "1.адреса": ["unknown_column"],
        }

    def test_others_may_work_between_any_two_lines_blank_ones_too(self):
        passed = []

        def pace(lines):
            for line in lines:
                passed.append(line)
                yield line

        table = read("\n\nname,number\n\n\nОля,101\n\n", contact_csv.COLUMNS, contact_csv.REQUIRED_COLUMNS, pace)
        assert passed == ["\n", "\n", "name,number\n"]
        assert contact_csv.parse_contacts(table.lines, "UA") == [Contact("Оля", "101", None)]
        assert len(passed) == 7

    @pytest.mark.parametrize("table", ["", "\n \n"])
    def test_nothing_is_no_table(self, table):
        assert [path.split(".")[1] for path in wrong(table)] == ["name", "number"]

    def test_a_table_without_a_header_is_refused_by_its_first_line(self):
        assert {path.split(".")[0] for path in wrong("Катерина,0501234567\n")} == {"1"}


class TestCells:
    def test_a_cell_may_hold_separators_quotes_and_lines(self):
        note = 'каже: "так; ні,\nможе"'
        quoted = note.replace('"', '""')
        assert taken(f'name,number,note\nОля,101,"{quoted}"\n') == [Contact("Оля", "101", note)]

    def test_lines_are_counted_as_an_editor_counts_them(self):
        assert list(wrong('name,number,note\nОля,101,"два\nрядки"\n\n,102,\n')) == ["5.name"]

    def test_every_mistake_is_told_at_once_by_line_and_column(self):
        errors = wrong("name,number\n,101\nОля,не номер\nПетро,102\n\n" + "я" * 201 + ",\n")
        assert {path: codes[0] for path, codes in errors.items()} == {
            "2.name": "length_out_of_range",
            "3.number": "not_address",
            "6.name": "length_out_of_range",
            "6.number": "length_out_of_range",
        }

    def test_a_number_that_stands_twice_is_told_with_its_first_line(self):
        errors = wrong("name,number\nОля,0501234567\nОлена,+380 50 123 45 67\n")
        assert errors == {"3.number": ["duplicate_number"]}

    def test_a_cell_too_many_is_told_and_the_rest_is_looked_at(self):
        assert wrong("name,number\nВласова, Катерина,101\n,102\n") == {
            "2": ["cell_without_column"],
            "3.name": ["length_out_of_range", "name_not_searchable"],
        }

    def test_a_quote_that_is_never_closed_is_told(self):
        assert wrong('name,number\nОля,101\n"Петро,102\n') == {"3": ["file_not_csv"]}

    def test_a_cell_beyond_all_measure_is_told(self):
        assert wrong(f"name,number\nОля,{'1' * 200_000}\n") == {"2": ["file_not_csv"]}

    def test_more_lines_than_are_taken_are_refused(self, monkeypatch):
        monkeypatch.setattr(contact_csv, "MAX_CONTACTS", 3)
        lines = [f"Оля,{number}\n" for number in range(101, 105)]
        assert len(taken("name,number\n" + "".join(lines[:3]))) == 3
        assert wrong("name,number\n" + "".join(lines)) == {"5": ["too_many_contacts"]}

    def test_of_very_many_mistakes_the_first_are_told(self):
        lines = {path.split(".")[0] for path in wrong("name,number\n" + ",\n,5\n" * 3000)}
        assert len(lines) == contact_csv.MAX_ERRORS


names = st.text(st.sampled_from("'=+-@;,\"\n їЖ5"), min_size=1, max_size=8)


@given(st.lists(names, max_size=5), st.lists(names, max_size=5))
def test_what_is_exported_is_imported_as_it_was(said, notes):
    made = [
        {"name": f"Оля {name}".replace("\n", " ").strip(), "number": str(100 + place), "note": note.strip() or None}
        for place, (name, note) in enumerate(zip(said, notes, strict=False))
    ]
    table = b"".join(contact_csv.write_csv([made]))
    assert [contact._asdict() for contact in taken(decode(table))] == made


def test_an_export_is_a_table_for_spreadsheets_with_every_cell_safe():
    hostile = {"name": '=HYPERLINK("x")', "number": "+380501234567", "note": "@SUM(1)"}
    table = b"".join(contact_csv.write_csv([[hostile]]))
    assert table.startswith(b"\xef\xbb\xbfname,number,note\r\n")
    [_, cells] = csv.reader(io.StringIO(table.decode("utf-8-sig")))
    assert cells == ['\'=HYPERLINK("x")', "'+380501234567", "'@SUM(1)"]
    assert taken(decode(table)) == [Contact(hostile["name"], hostile["number"], hostile["note"])]
