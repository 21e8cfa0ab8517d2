"""The rule for comment texts, shared by the gateway, which receives them, and comments, which stores them."""

import re
import unicodedata

from shared.contracts.errors import Invalid

MAX_LENGTH = 200
"""Code points, after NFC and trimming."""
MAX_DECOMPOSITION = 4
"""Most code points that NFC composes into one code point: https://www.unicode.org/faq/normalization.html#12"""
SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL_CHARACTER = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")
DIRECTION_CHARACTER = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Invisible characters that change the display order of the text after them: https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing"""
INVISIBLE_TEXT = re.compile(
    r"[\s\u2800\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)
"""White space and characters that Unicode calls default-ignorable: a text of only these displays as blank."""


def comment_text(written: str) -> str:
    """The text to store: trimmed and in NFC, otherwise unchanged. Raises Invalid for the field `text`."""
    if SURROGATE.search(written):
        raise Invalid("unstorable_character", field="text")
    if CONTROL_CHARACTER.search(written):
        raise Invalid("control_character", field="text")
    if match := DIRECTION_CHARACTER.search(written):
        raise Invalid("direction_character", params={"character": f"U+{ord(match[0]):04X}"}, field="text")
    trimmed = written.strip()
    # The length is checked first: normalising takes long if thousands of marks follow one letter.
    text = unicodedata.normalize("NFC", trimmed).strip() if len(trimmed) <= MAX_LENGTH * MAX_DECOMPOSITION else trimmed
    if INVISIBLE_TEXT.fullmatch(text):
        raise Invalid("blank", field="text")
    if len(text) > MAX_LENGTH:
        raise Invalid("comment_too_long", params={"max": MAX_LENGTH, "length": len(text)}, field="text")
    return text
