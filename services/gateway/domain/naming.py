"""How names are compared when somebody looks for one."""

import unicodedata

APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ`´‘ʹ′", "'"))


def fold(text: str) -> str:
    """Equal for texts that a reader takes for the same: case, width, accents' encoding, apostrophes and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text.translate(APOSTROPHES)).casefold().split())
