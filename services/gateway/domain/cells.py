"""Cells of a table that somebody will open in a spreadsheet, which takes `=1+1` and `+380…` for formulas.

An apostrophe before such a text makes it one again (OWASP, CSV Injection), and a person still reads the number.
"""

import re

FORMULA = re.compile(r"'*[ \u00a0]*[=+\-@＝＋－＠\t\r\n\0]")
"""What a spreadsheet may calculate, with the apostrophes that others have put before it."""


def safe(text: str) -> str:
    """The same text, which no spreadsheet calculates."""
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell: str) -> str:
    """The text of which `safe` made this cell; any other cell stays as it is."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
