"""How a list is asked for and answered."""

from marshmallow import Schema
from werkzeug.wrappers import Response

from services.gateway.http import cursors
from services.gateway.http.cursors import Place
from services.gateway.http.pagination import Page
from shared.contracts.wire import Json
from shared.http.entrypoint import answer


def place(asked: Json) -> Place | None:
    """Where the page begins that was asked for. Raises Invalid."""
    return None if asked["cursor"] is None else cursors.PLACES.decode(asked["cursor"])


def listed(schema: Schema, name: str, found: Page) -> Response:
    """A page under its name, with the cursor of the next one."""
    cursor = cursors.PLACES.encode(found.next) if found.next else None
    return answer(schema.dump({name: found.rows, "next_cursor": cursor}))
