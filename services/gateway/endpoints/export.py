"""The journal taken away: all that fits the filters, newest first, written out as it is read."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from tempfile import TemporaryDirectory, TemporaryFile
from uuid import UUID
from zoneinfo import ZoneInfo

import eventlet
from eventlet import tpool
from werkzeug.wrappers import Response

from services.gateway.auth import active_callers
from services.gateway.auth.authenticator import unauthorised
from services.gateway.domain.exporting import Format, Language
from services.gateway.domain.filters import Filters
from services.gateway.domain.permissions import Caller, may
from services.gateway.domain.scope import scope_of
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.journal import filter_parameters, patiently, shown_by
from services.gateway.journal import entries, export_writers, page_query, schemas
from services.gateway.journal.request_filters import filters_from_query, for_account
from services.gateway.journal.spooled_ids import SpooledCallIds
from shared.contracts.wire import Json
from shared.plumbing import clock

logger = logging.getLogger(__name__)

PAGE = 500
# The calls of a page are looked up one by one: reading through all of them for each page would grow with their square.
ONE_BY_ONE = "set local random_page_cost = 1.1"
BLOCK = 64 * 1024
CONTENT = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.NDJSON: "application/x-ndjson; charset=utf-8",
}
Pages = Iterator[list[Json]]


class ExportEndpoints(EndpointGroup):
    @endpoint(
        "GET",
        "/api/v1/journal/export",
        query=schemas.ExportQuerySchema(),
        answers={200: ", ".join(media.partition(";")[0] for media in CONTENT.values())},
    )
    def export_journal(self, context: RequestContext) -> Response:
        """All calls that fit, newest first, as CSV, XLSX or NDJSON.

        Those that fit when it was asked for, each once and as it is when its turn comes. An answer that breaks off
        before its end is not whole.
        """
        caller, asked = context.caller, filter_parameters(context)
        filters = filters_from_query(asked, caller, clock.now())
        with ExitStack() as held:
            held.enter_context(self.credentials.exports.place(caller.id))
            with patiently(asked):
                found = held.enter_context(closing(self._found(asked, caller, filters)))
            pages = self._pages(context, found)
            # Asked for before the answer begins, so that it may still be a problem.
            pieces = _pieces(asked["format"], asked["lang"], _begun(next(pages, []), pages))
            name = f"journal-{clock.now().astimezone(ZoneInfo(caller.time_zone)).date()}.{asked['format']}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            response = Response(pieces, content_type=CONTENT[asked["format"]], headers=headers)
            response.call_on_close(held.pop_all().close)
        return response

    def _found(self, asked: Json, caller: Caller, filters: Filters) -> SpooledCallIds:
        with self.db.connection(page_query.MAX_EXPORT_QUERY_SECONDS) as conn:
            page_query.use_one_snapshot(conn)
            filters = for_account(conn, asked, caller, filters)
            return SpooledCallIds(page_query.iterate_call_ids(conn, scope_of(caller), filters))

    def _pages(self, context: RequestContext, spooled: SpooledCallIds) -> Pages:
        """No transaction is open while a client takes its time. Who may no longer come in gets no more."""
        shown_by_caller, rows, whole = shown_by(self, context), 0, False
        try:
            for call_ids in spooled.pages(PAGE):
                shown = self._page(shown_by_caller, call_ids)
                rows += len(shown)
                yield shown
            whole = True
        finally:
            about = {"tenant": context.caller.tenant, "by": str(context.caller.id), "rows": rows, "whole": whole}
            logger.info("journal exported", extra=about | {"asked": sorted(context.request.args)})

    def _page(self, shown: UUID, call_ids: Sequence[UUID]) -> list[Json]:
        with self.db.connection() as conn:
            caller = active_callers.still_in(conn, [shown], clock.now()).get(shown)
            if caller is None or not may(caller, "export_journal"):
                raise unauthorised("The session has ended.")
            conn.execute(ONE_BY_ONE)
            rows = page_query.get_calls(conn, scope_of(caller), call_ids)
            made = entries.build_entries(conn, caller.tenant, rows)
        # What is computed for one must not keep the others waiting.
        eventlet.sleep(0)
        return made


def _begun(first: list[Json], others: Pages) -> Pages:
    yield first
    yield from others


def _pieces(format_: Format, language: Language, pages: Pages) -> Iterator[bytes]:
    match format_:
        case Format.CSV:
            yield export_writers.csv_header(language)
            yield from map(export_writers.csv_rows, pages)
        case Format.NDJSON:
            yield from map(export_writers.ndjson, pages)
        case Format.XLSX:
            yield from _xlsx(language, pages)


def _xlsx(language: Language, pages: Pages) -> Iterator[bytes]:
    """The file is whole before its first byte is known; it is written in a thread of its own."""
    with TemporaryDirectory() as folder, TemporaryFile(dir=folder) as file:
        sheets = export_writers.XlsxWriter(file, folder, language)
        for page in pages:
            tpool.execute(sheets.add, page)
        tpool.execute(sheets.close)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block
