"""What all tests have at hand."""

from hypothesis import settings

from tests.support.infrastructure import (
    billing_db,
    broker,
    calls_db,
    comments_db,
    gateway_db,
    recordings_db,
    services,
    stack,
)

__all__ = ["billing_db", "broker", "calls_db", "comments_db", "gateway_db", "recordings_db", "services", "stack"]

# How long an example takes says how busy the machine is: timings belong to `make bench`.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
