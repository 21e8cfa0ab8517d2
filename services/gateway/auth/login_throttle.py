"""Throttling of sign-ins: only wrong passwords count, and the guesser is slowed down, not the owner of the account."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from eventlet.semaphore import Semaphore
from werkzeug.wrappers import Request

from services.gateway.auth import password_workers
from services.gateway.auth.rate_limits import Limiter
from services.gateway.domain.limits import Limit
from services.gateway.http.idempotency import digest
from shared.http.client_address import Proxies
from shared.http.entrypoint import Problem
from shared.http.problems import too_many

logger = logging.getLogger(__name__)

MINUTE, MONTH = 60, 30 * 24 * 3600
MAX_WAITING = 40
"""Requests that may wait for a password check; more would take up the workers that all endpoints share."""


class LoginThrottle:
    """Limits wrong passwords per address, per login, and per login and address.

    A login is counted in all tenants together and whether or not the account exists, which reveals nothing about it.
    Addresses from which the login succeeded within a month do not count towards the limit per login.
    """

    def __init__(
        self,
        limiter: Limiter,
        proxies: Proxies,
        config: Mapping[str, Any],
        is_right: Callable[[str, str | None], bool] = password_workers.is_right,
    ) -> None:
        per_account = int(config["FAILED_SIGN_INS_PER_ACCOUNT"])
        per_address = int(config["FAILED_SIGN_INS_PER_ADDRESS"])
        self._limiter, self._proxies, self._is_right = limiter, proxies, is_right
        self._per_login_and_address = Limit(burst=per_account, window=MINUTE, doubling=True)
        self._per_login = Limit(burst=2 * per_account, rate=per_account / MINUTE)
        self._per_address = Limit(burst=per_address, window=MINUTE)
        self._slots = Semaphore(password_workers.CONCURRENCY)

    def is_right(self, request: Request, login: str, password: str, stored: str | None) -> bool:
        """Check the password against the stored hash; None takes as long and is never right.

        Raises Problem 429 after too many wrong passwords, 503 when too many requests wait for a check.
        """
        if self._slots.balance <= -MAX_WAITING:
            raise Problem("too_many_sign_ins")
        address = self._proxies.client(request)
        by_both, known = _key("both", login, address), _key("known", login, address)
        limits = {by_both: self._per_login_and_address, _key("address", address): self._per_address}
        # A check and its count run together, two at a time: a hundred requests at once are not a hundred free guesses.
        with self._slots:
            if not self._limiter.remembers(known):
                limits[_key("login", login)] = self._per_login
            self._refuse_if_exceeded(limits, address)
            if self._is_right(password, stored):
                self._limiter.forget(by_both)
                self._limiter.remember(known, MONTH)
                return True
            for key, limit in limits.items():
                self._limiter.strike(key, limit)
        logger.warning("wrong password", extra={"address": address, "account_is_known": stored is not None})
        return False

    def _refuse_if_exceeded(self, limits: Mapping[str, Limit], address: str) -> None:
        wait = max(self._limiter.take(key, limit, 0).wait for key, limit in limits.items())
        if wait > 0:
            logger.warning("too many wrong passwords", extra={"address": address, "seconds": round(wait, 3)})
            raise too_many("too_many_wrong_passwords", wait)


def _key(kind: str, *parts: str) -> str:
    return f"limit:{digest(kind, *parts).hex()}"
