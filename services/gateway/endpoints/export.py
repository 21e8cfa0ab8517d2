"""The journal export: all calls that match the filters, newest first, streamed."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
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
from services.gateway.domain.permissions import READERS, Caller, RateLimit
from services.gateway.domain.scope import scope_of
from services.gateway.endpoints.endpoint import EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.journal import ACCOUNT_FILTER_ROLES, explain_timeout
from services.gateway.journal import entries, export_writers, page_query, schemas
from services.gateway.journal.request_filters import filters_from_query, for_account
from services.gateway.journal.spooled_ids import SpooledCallIds
from shared.contracts.wire import Json
from shared.plumbing import clock

logger = logging.getLogger(__name__)

PAGE = 500
# Look up the calls of a page by index: a sequential scan for each page would be quadratic.
PREFER_INDEX = "set local random_page_cost = 1.1"
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
        roles=READERS,
        query=schemas.ExportQuerySchema(),
        query_roles=ACCOUNT_FILTER_ROLES,
        limit=RateLimit.EXPORTS,
        answers={200: ", ".join(media.partition(";")[0] for media in CONTENT.values())},
    )
    def export_journal(self, context: RequestContext) -> Response:
        """All matching calls, newest first, as CSV, XLSX or NDJSON.

        The calls that match at the time of the request, each once and in its state when it is written. A response that
        breaks off is incomplete.
        """
        caller, query = context.caller, context.query
        filters = filters_from_query(query, caller, clock.now())
        with ExitStack() as until_sent:
            with explain_timeout(query):
                call_ids = until_sent.enter_context(closing(self._matching_calls(query, caller, filters)))
            pages = self._pages(context, call_ids)
            # The first page is read before the response begins, so that an error is still a problem response.
            chunks = _chunks(query["format"], query["lang"], chain([next(pages, [])], pages))
            name = f"journal-{clock.now().astimezone(ZoneInfo(caller.time_zone)).date()}.{query['format']}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            response = Response(chunks, content_type=CONTENT[query["format"]], headers=headers)
            response.call_on_close(until_sent.pop_all().close)
        return response

    def _matching_calls(self, query: Json, caller: Caller, filters: Filters) -> SpooledCallIds:
        with self.db.connection(page_query.MAX_EXPORT_QUERY_SECONDS) as conn:
            page_query.use_one_snapshot(conn)
            filters = for_account(conn, query, caller, filters)
            return SpooledCallIds(page_query.iterate_call_ids(conn, scope_of(caller), filters))

    def _pages(self, context: RequestContext, matching: SpooledCallIds) -> Pages:
        """Read a page in a short transaction of its own. Ends when the caller is no longer allowed to export."""
        rows, complete = 0, False
        try:
            for call_ids in matching.pages(PAGE):
                page = self._page(context, call_ids)
                rows += len(page)
                yield page
            complete = True
        finally:
            fields = {"tenant": context.caller.tenant, "by": str(context.caller.id), "rows": rows, "complete": complete}
            logger.info("journal exported", extra=fields | {"parameters": sorted(context.request.args)})

    def _page(self, context: RequestContext, call_ids: Sequence[UUID]) -> list[Json]:
        with self.db.connection() as conn:
            active = active_callers.active_callers(conn, [context.credential_id], clock.now())
            caller = active.get(context.credential_id)
            if caller is None or not context.spec.access.allows(caller):
                raise unauthorised("session_ended")
            conn.execute(PREFER_INDEX)
            rows = page_query.get_calls(conn, scope_of(caller), call_ids)
            page = entries.build_entries(conn, caller.tenant, rows)
        # Give other requests a turn.
        eventlet.sleep(0)
        return page


def _chunks(format_: Format, language: Language, pages: Pages) -> Iterator[bytes]:
    match format_:
        case Format.CSV:
            yield export_writers.csv_header(language)
            yield from map(export_writers.csv_rows, pages)
        case Format.NDJSON:
            yield from map(export_writers.ndjson, pages)
        case Format.XLSX:
            yield from _xlsx(language, pages)


def _xlsx(language: Language, pages: Pages) -> Iterator[bytes]:
    """Write the file in a native thread; its first byte is known only when it is complete."""
    with TemporaryDirectory() as folder, TemporaryFile(dir=folder) as file:
        sheets = export_writers.XlsxWriter(file, folder, language)
        for page in pages:
            tpool.execute(sheets.add, page)
        tpool.execute(sheets.close)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block
