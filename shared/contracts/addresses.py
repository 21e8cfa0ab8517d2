"""The one normaliser of addresses: a phone number in E.164, an extension, or a SIP URI."""

import re
from functools import lru_cache

import phonenumbers

_ELEVEN_FROM_80 = re.compile(r"80\d{9}")
_DIAL_MARKS = re.compile(r"[\s().\-]")


@lru_cache(maxsize=16_384)
def normalise(address: str, region: str = "UA") -> str:
    """`0501234567`, `80501234567` and `380501234567` are `+380501234567` in Ukraine.

    Only what phonenumbers' `is_valid_number` accepts is rewritten; anything else stays as it came.
    """
    if ":" in address or "@" in address:
        return address
    digits = _DIAL_MARKS.sub("", address)
    if region == "UA" and _ELEVEN_FROM_80.fullmatch(digits):
        digits = "3" + digits
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return address
    if not phonenumbers.is_valid_number(number):
        return address
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
