"""Protect cells against formula injection: a spreadsheet would calculate `=1+1` and `+380…`.

An apostrophe before such a text makes it plain text (OWASP, CSV Injection) and leaves it readable.
"""

import re

FORMULA = re.compile(r"'*[ \u00a0]*[=+\-@＝＋－＠\t\r\n\0]")
"""The beginning of a formula, after any apostrophes that were put before it."""


def safe(text: str) -> str:
    """The text with an apostrophe before it if it could be a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell: str) -> str:
    """The inverse of `safe`; other cells are returned unchanged."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
