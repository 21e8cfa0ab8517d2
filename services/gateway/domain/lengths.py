"""Format lengths of time."""


def seconds(exact: str) -> str:
    """Exact seconds with three decimals if that is exact, else six: `6.000`, `6.123456`."""
    return exact[:-3] if exact.endswith("000") else exact
