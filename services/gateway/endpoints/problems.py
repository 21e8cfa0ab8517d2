"""The pages of problem types: where `type` of an error leads a person."""

from collections.abc import Iterable
from functools import cache
from html import escape

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from services.gateway.endpoints.endpoint import EndpointGroup
from shared.contracts.error_codes import ERROR_CODES
from shared.http.entrypoint import http
from shared.http.problem_types import PATH, PROBLEM_TYPES, SLUG_OF, url

HEADERS = {"Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
FIELDS_OF = "invalid"
"""The type whose page lists the codes of fields too."""
PAGE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body><main>
<h1>{title}</h1>
{content}
</main></body>
</html>
"""


class ProblemEndpoints(EndpointGroup):
    @http("GET", PATH)
    def list_problems(self, request: Request) -> Response:
        """All types of problems."""
        return _html(_list())

    @http("GET", f"{PATH}/<slug>")
    def show_problem(self, request: Request, slug: str) -> Response:
        """One type of problem: what it means, what to do, and its codes."""
        if slug not in PROBLEM_TYPES:
            raise NotFound
        return _html(_page(slug))


def _html(page: str) -> Response:
    return Response(page, content_type="text/html; charset=utf-8", headers=HEADERS)


@cache
def _list() -> str:
    items = (
        f'<li><a href="{url(slug)}"><code>{slug}</code></a>: {type_.status} {escape(type_.title)}</li>'
        for slug, type_ in PROBLEM_TYPES.items()
    )
    return PAGE.format(title="Problems of the Call Journal API", content=f"<ul>{''.join(items)}</ul>")


@cache
def _page(slug: str) -> str:
    problem_type = PROBLEM_TYPES[slug]
    parts = [
        f"<p>HTTP status {problem_type.status}, type <code>{url(slug)}</code></p>",
        f"<p>{escape(problem_type.explanation)}</p>",
        f"<h2>Codes</h2>{_table(problem_type.codes)}",
    ]
    if slug == FIELDS_OF:
        parts.append(f"<h2>Codes of fields</h2>{_table(code for code in ERROR_CODES if code not in SLUG_OF)}")
    parts.append(f'<p><a href="{PATH}">All problems</a></p>')
    return PAGE.format(title=escape(problem_type.title), content="\n".join(parts))


def _table(codes: Iterable[str]) -> str:
    rows = (f"<tr><td><code>{code}</code></td><td>{escape(ERROR_CODES[code])}</td></tr>" for code in codes)
    return f"<table><tr><th>code</th><th>text</th></tr>{''.join(rows)}</table>"
