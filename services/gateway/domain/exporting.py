"""The journal as an export table: its columns, their headings by language, and the cells of an entry."""

from enum import StrEnum
from typing import Any, NamedTuple


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    NDJSON = "ndjson"


class Language(StrEnum):
    UKRAINIAN = "uk"
    ENGLISH = "en"


class Column(NamedTuple):
    """A column: `path` leads to the value in an entry; the others are its headings. Times are in UTC."""

    path: tuple[str, ...]
    uk: str
    en: str


COLUMNS = (
    Column(("call_id",), "call_id", "call_id"),
    Column(("direction",), "Напрямок", "Direction"),
    Column(("status",), "Статус", "Status"),
    Column(("placed_at",), "Початок дзвінка (UTC)", "Placed at (UTC)"),
    Column(("caller", "address"), "Хто: номер", "Caller: number"),
    Column(("caller", "name"), "Хто: ім'я", "Caller: name"),
    Column(("callee", "address"), "Кому: номер", "Callee: number"),
    Column(("callee", "name"), "Кому: ім'я", "Callee: name"),
    Column(("answered_by", "address"), "Відповів: номер", "Answered by: number"),
    Column(("answered_by", "name"), "Відповів: ім'я", "Answered by: name"),
    Column(("line",), "Лінія", "Line"),
    Column(("answered_at",), "Початок розмови (UTC)", "Answered at (UTC)"),
    Column(("ended_at",), "Кінець дзвінка (UTC)", "Ended at (UTC)"),
    Column(("wait_seconds",), "Очікування, с", "Wait, s"),
    Column(("talk_seconds",), "Тривалість, с", "Talk, s"),
    Column(("ended_by",), "Хто завершив", "Ended by"),
    Column(("cause",), "Причина Q.850", "Q.850 cause"),
    Column(("reason",), "Пояснення", "Reason"),
    Column(("returned_by",), "Передзвонили (call_id)", "Returned by (call_id)"),
    Column(("comment", "text"), "Коментар", "Comment"),
    Column(("price", "state"), "Вартість: стан", "Price: state"),
    Column(("price", "amount"), "Вартість", "Price"),
    Column(("price", "currency"), "Валюта", "Currency"),
    Column(("recording", "state"), "Запис", "Recording"),
)
PATHS = [(path[0], path[1] if len(path) > 1 else None) for path, _, _ in COLUMNS]


def header(language: Language) -> list[str]:
    return [column.uk if language is Language.UKRAINIAN else column.en for column in COLUMNS]


def cells(entry: dict[str, Any]) -> list[str]:
    """The text of each column of an entry; empty for a missing value."""
    texts = []
    for name, part in PATHS:
        value = entry[name]
        if part is not None and value is not None:
            value = value[part]
        texts.append("" if value is None else str(value))
    return texts
