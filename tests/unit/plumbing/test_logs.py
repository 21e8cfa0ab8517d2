"""Logs say what happened, never to whom."""

import json
import subprocess
import sys
from uuid import UUID

import pytest

from shared.plumbing.logs import masked

TELL = """
import logging
from shared.plumbing import logs
logs.configure("test")
logger = logging.getLogger("test")
logs.set_correlation_id("1763798400123")
try:
    raise ValueError("caller +380501234567 is odd")
except ValueError:
    logger.exception("no +380501234567", extra={"about": {"+380501234567": ["0501234567"]}, "count": 123456789012})
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+380501234567", "+380*****67"),
        ("380501234567", "380*****67"),
        ("0501234567", "050*****67"),
        ("from +380501234567 to 0441234567.", "from +380*****67 to 044*****67."),
        ("sip:+380501234567@pbx", "sip:+380*****67@pbx"),
        ("Key (tenant, number)=(oselia, +380501234567)", "Key (tenant, number)=(oselia, +380*****67)"),
        ("duplicate key\nDETAIL:  Key (name)=(Катерина Власова) exists.", "duplicate key\nDETAIL: …"),
    ],
)
def test_a_number_is_masked_and_a_row_is_not_told(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    "kept",
    [
        "101",
        "extension 12345",
        "2026-11-22T08:15:00.123456Z",
        str(UUID(int=123456789012)),
        "1763798400.123456",
        "127.0.0.1:5432",
        "urn:uuid:00000000-0000-0000-0000-123456789012",
        "took 0.123456789 s",
    ],
)
def test_what_is_no_number_is_kept(kept):
    assert masked(kept) == kept


def test_numbers_are_masked_in_everything_that_is_said():
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", TELL], capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)
    assert "0501234567" not in ran.stdout
    assert told["message"] == "no +380*****67"
    assert told["about"] == {"+380*****67": ["050*****67"]}
    assert "caller +380*****67 is odd" in told["exc_info"]
    assert (told["correlation_id"], told["count"]) == ("1763798400123", 123456789012)
