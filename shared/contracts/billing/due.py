"""When the price of an ended call is due. Billing applies this rule, and the journal predicts the due time with it."""

from datetime import datetime, timedelta

MAX_CLOCK_DIFFERENCE = timedelta(seconds=60)


def due_at(ended_at: datetime, received_at: datetime, delay: timedelta) -> datetime:
    """`delay` after the end of the call, or after the receipt of its end if the reporting exchange's clock is wrong."""
    return (received_at if abs(received_at - ended_at) > MAX_CLOCK_DIFFERENCE else ended_at) + delay
