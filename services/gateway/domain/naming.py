"""Fold names for comparison and search."""

import unicodedata

APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ`´‘ʹ′", "'"))


def fold(text: str) -> str:
    """Fold case, width, composed accents, apostrophes and spaces, so that texts that look alike are equal."""
    return " ".join(unicodedata.normalize("NFKC", text.translate(APOSTROPHES)).casefold().split())
