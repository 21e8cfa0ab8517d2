"""A service whose process has been left with psycopg's C wait."""

from psycopg import waiting

from tests.service.plumbing.doubles import Answers

waiting.wait = waiting.wait_c

__all__ = ["Answers"]
