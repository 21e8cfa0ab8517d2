"""When the price of an ended call is due: the rule of billing, by which the journal foretells it."""

from datetime import datetime, timedelta

CLOCK_OFF = timedelta(seconds=60)


def due_at(ended_at: datetime, received_at: datetime, delay: timedelta) -> datetime:
    """`delay` after the end; after its receipt if the clock that told of it is off."""
    return (received_at if abs(received_at - ended_at) > CLOCK_OFF else ended_at) + delay
