"""How lengths of time are written."""


def seconds(exact: str) -> str:
    """Seconds to the microsecond, written with milliseconds where that says it all: `6.000`, `6.123456`."""
    return exact[:-3] if exact.endswith("000") else exact
