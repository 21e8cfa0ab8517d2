"""`docs/api/errors.md`, from the registry of error codes: `python -m tools.error_reference` writes it."""

from collections.abc import Iterable
from pathlib import Path

from shared.contracts.error_codes import ERROR_CODES, param_names
from shared.http.problem_types import PROBLEM_TYPES, SLUG_OF, url

FILE = Path(__file__).parents[1] / "docs" / "api" / "errors.md"
INTRODUCTION = """\
# Errors

Every error is `application/problem+json` (RFC 9457):

```json
{"type": "/problems/invalid", "title": "Invalid", "status": 422, "code": "invalid", "params": {},
 "detail": "Some fields are invalid. `errors` says which.", "request_id": "8f14e45f-ceea-467f-9575-0b9f6e3f6b1a",
 "errors": {"lines.0.address": [{"code": "too_long", "params": {"max": 128}, "message": "…"}]}}
```

* `type` is the address of a page about the problem, without credentials; `GET /problems` lists all.
* `code` is stable, `params` are the values that its text mentions. Programs and translations go by them, never by
  `title`, `detail` or `message`, which are English and may change. New codes may appear: treat them by `status`.
* `request_id` is the id of the request in the logs, also in the header `X-Request-Id`.
* `instance` is there from 500 on: a `urn:uuid:…` of this very failure.
* `errors` lists invalid fields by path: nested fields with dots, items counted from 0 (`lines.0.address`). In a file
  the number of the line comes first, counted from 1 (`17.number`); in a list of reports the index (`0.data.caller`).
  A path without a field is the whole line, the empty path the whole body. Every import reports so: contacts, tariffs,
  `POST /reports`, and `journal import` in its file `….not-understood`, which names the line or file before the errors.

This page is made from the registry: `python -m tools.error_reference`.
"""


def reference() -> str:
    """The text of the page."""
    parts = [INTRODUCTION, "## Problems\n"]
    for slug, problem_type in PROBLEM_TYPES.items():
        parts.append(f"### {url(slug)}\n")
        parts.append(f"{problem_type.status} {problem_type.title}. {problem_type.explanation}\n")
        parts.append(_table(problem_type.codes))
    parts.append("## Codes of fields\n")
    parts.append(_table(code for code in ERROR_CODES if code not in SLUG_OF))
    return "\n".join(parts)


def _table(codes: Iterable[str]) -> str:
    rows = (
        f"| `{code}` | {', '.join(f'`{name}`' for name in param_names(code))} | {ERROR_CODES[code]} |" for code in codes
    )
    return "\n".join(["| code | params | text |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(reference(), encoding="utf-8")
