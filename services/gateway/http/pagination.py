"""Lists other than the journal: one page after another, by the last place of the page before."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import dict_row

from services.gateway.http.cursors import Place
from shared.contracts.errors import NotFound

Row = dict[str, Any]
UKRAINIAN = 'collate "uk-x-icu"'
"""The order of a Ukrainian dictionary: г, ґ, д, е, є."""
BEYOND = f"({{sorted_by}} {UKRAINIAN}, id) > (%(text)s, %(id)s)"


class Page(NamedTuple):
    """Rows in order; `next` leads to those after, where there are any."""

    rows: Sequence[Row]
    next: Place | None


def page(
    conn: Connection[Any],
    query: str,
    values: Mapping[str, Any],
    sorted_by: str,
    limit: int,
    after: Place | None,
    *conditions: str,
) -> Page:
    """What a query finds under these conditions `after` a place, sorted by the column `sorted_by` and the id."""
    wanted = [*conditions, *([BEYOND.format(sorted_by=sorted_by)] if after else [])]
    asked = query.format(
        conditions=" and ".join(wanted) or "true", order=f"order by {sorted_by} {UKRAINIAN}, id limit %(limit)s"
    )
    place = after._asdict() if after else {}
    found = conn.cursor(row_factory=dict_row).execute(asked, {**values, **place, "limit": limit + 1}).fetchall()
    last = found[limit - 1] if len(found) > limit else None
    return Page(found[:limit], Place(last[sorted_by], last["id"]) if last else None)


def one(conn: Connection[Any], query: str, values: Mapping[str, Any]) -> Row:
    """The row that a query finds. Raises NotFound."""
    row = conn.cursor(row_factory=dict_row).execute(query, values).fetchone()
    if row is None:
        raise NotFound
    return row


def containing(part: str) -> str:
    """A pattern for `like`: texts with this part."""
    escaped = part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
