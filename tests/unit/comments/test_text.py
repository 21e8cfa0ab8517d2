"""The text of a comment: any script, at most 200 code points, at least one visible character."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.comments.text import MAX_LENGTH, comment_text
from shared.contracts.errors import Invalid
from tests.support.problems import refused


@pytest.mark.parametrize(
    "text",
    [
        "передзвонити 2 серпня",
        "שלום, להתקשר מחר",
        "اتصل غداً \u200fبعد الظهر",
        "מספר \u200e+380 50 123-45-67\u200e, דחוף!",
        "کتاب‌ها را می‌خواهم",
        "নমস্কার",
        "電話をかけ直す",
        "👩‍👩‍👧‍👦 та 🇺🇦",
        "x\u0323\u0307 не складається в одну",
        "рядок\nі ще один\r\nі третій",
        "нуль\u200bширини посередині",
        "<script>alert('привіт')</script>",
        "=1+1",
        "\U0001f9d1\U0001f3fd\u200d\U0001f4bb",
    ],
)
def test_text_is_stored_as_written(text: str):
    assert comment_text(text) == unicodedata.normalize("NFC", text)


def test_text_is_trimmed():
    assert comment_text("  \n передзвонити \u00a0\u2003") == "передзвонити"


@pytest.mark.parametrize(("text", "length"), [("ї" * 200, 200), ("і\u0308" * 200, 200), (" " * 5000 + "a", 1)])
def test_its_length_is_counted_in_code_points_after_nfc_and_trimming(text: str, length: int):
    assert len(comment_text(text)) == length


@pytest.mark.parametrize("text", ["ї" * 201, "🙂" * 201, "і\u0308" * 201, "a" + "\u0301\u0323" * 30_000])
def test_text_over_200_code_points_is_invalid(text: str):
    with refused("comment_too_long", Invalid):
        comment_text(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\n", "\u00a0\u3000", "\u200b", " \u200b\u200d\ufeff ", "\u2060\u00ad", "\u3164", "\U000e0020"],
)
def test_text_without_visible_characters_is_invalid(text: str):
    with refused("blank", Invalid):
        comment_text(text)


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)])
def test_control_characters_other_than_line_breaks_are_invalid(code: int):
    if chr(code) in "\n\r":
        assert comment_text(f"а{chr(code)}б") == f"а{chr(code)}б"
    else:
        with refused("control_character", Invalid):
            comment_text(f"а{chr(code)}б")


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_bidirectional_overrides_are_invalid_and_named(code: int):
    with pytest.raises(Invalid) as refusal:
        comment_text(f"рахунок {chr(code)}fdp.exe")
    assert (refusal.value.code, refusal.value.params) == ("direction_character", {"character": f"U+{code:04X}"})


@pytest.mark.parametrize("text", ["\ud83d", "а\udc00б"])
def test_surrogates_are_invalid(text: str):
    with refused("unstorable_character", Invalid):
        comment_text(text)


@given(st.text(st.characters(), max_size=300))
def test_normalising_twice_changes_nothing(text: str):
    """The gateway and the domain both normalise: the domain accepts what the gateway accepted, unchanged."""
    try:
        stored = comment_text(text)
    except Invalid:
        return
    assert comment_text(stored) == stored
    assert 1 <= len(stored) <= MAX_LENGTH
    stored.encode()
