"""What may stand in a comment: one rule, for who takes it from a client and for who keeps it."""

import re
import unicodedata

from shared.contracts.errors import Invalid

LONGEST = 200
"""Code points, after NFC and trimming."""
DECOMPOSED = 4
"""Code points that one of NFC's may have been before: https://www.unicode.org/faq/normalization.html#12"""
SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Invisible, and what comes after them is shown in another order: https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing"""
UNSEEN = re.compile(
    r"[\s\u2800\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)
"""White space and what Unicode calls default-ignorable: a text of nothing else shows nothing."""


def comment_text(written: str) -> str:
    """The text as it is kept: in NFC and trimmed, else as it was written. Raises Invalid on `text`."""
    if SURROGATE.search(written):
        raise Invalid("unstorable_character", field="text")
    if CONTROL.search(written):
        raise Invalid("control_character", field="text")
    if turning := TURNING.search(written):
        raise Invalid("direction_character", params={"character": f"U+{ord(turning[0]):04X}"}, field="text")
    trimmed = written.strip()
    # Bounded before it is normalised, which takes long where thousands of marks stand on one letter.
    text = unicodedata.normalize("NFC", trimmed).strip() if len(trimmed) <= LONGEST * DECOMPOSED else trimmed
    if UNSEEN.fullmatch(text):
        raise Invalid("blank", field="text")
    if len(text) > LONGEST:
        raise Invalid("comment_too_long", params={"max": LONGEST, "length": len(text)}, field="text")
    return text
