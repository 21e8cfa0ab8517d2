"""The name under which a file is saved says nothing but a name, in any language."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.byte_ranges import UNSAFE, disposition

HEADER = re.compile(r"""attachment; filename="([^"\\]+)"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)""")


def names(header: str) -> tuple[str, str]:
    """The name for old clients, and the one for all others."""
    found = HEADER.fullmatch(header)
    assert found, header
    return found[1], found[2]


@pytest.mark.parametrize(
    ("name", "plain", "saved"),
    [
        ("call.wav", "call.wav", "call.wav"),
        ("Дзвінок 2026-11-24 10-00-00.wav", "file.wav", "Дзвінок 2026-11-24 10-00-00.wav"),
        ("../../etc/passwd", "etcpasswd", "etcpasswd"),
        ("..\\..\\boot.ini", "boot.ini", "boot.ini"),
        ('a"; filename="b.exe', "a; filename=b.exe", "a; filename=b.exe"),
        ("a\r\nSet-Cookie: x=1.wav", "aSet-Cookie x=1.wav", "aSet-Cookie x=1.wav"),
        ("\u202egpj.wav", "gpj.wav", "gpj.wav"),
        ("\x00", "file", "file"),
        ("..", "file", "file"),
        ("", "file", "file"),
    ],
)
def test_a_name_is_a_name_and_no_path(name: str, plain: str, saved: str):
    told_plain, encoded = names(disposition("attachment", name))
    assert (told_plain, unquote(encoded)) == (plain, saved)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_whatever_it_is_called_it_fits_into_one_header(name: str):
    header = disposition("attachment", name)
    plain, encoded = names(header)
    assert header.isascii()
    assert header.isprintable()
    assert not UNSAFE & set(unquote(encoded))
    assert not UNSAFE & set(plain)
    assert 0 < len(unquote(encoded)) <= 120
