"""Passwords that are tried: only wrong ones count, and whoever guesses is slowed down, not whom they guess at."""

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

A_MINUTE, A_MONTH = 60, 30 * 24 * 3600
MOST_WAITING = 40
"""Who may wait to have a password looked at; more would take up the workers that all doors share."""


class LoginThrottle:
    """How often a wrong password may be shown: by an address, for a login, and for a login by one address.

    A login is counted whatever the company, and whether there is such an account or not: nothing is learnt of it.
    Addresses from which the login was let in within a month are not counted together with all the others'.
    """

    def __init__(
        self,
        limiter: Limiter,
        proxies: Proxies,
        config: Mapping[str, Any],
        is_right: Callable[[str, str | None], bool] = password_workers.is_right,
    ) -> None:
        per_account, per_address = (
            int(config["FAILED_SIGN_INS_PER_ACCOUNT"]),
            int(config["FAILED_SIGN_INS_PER_ADDRESS"]),
        )
        self._limiter, self._proxies, self._is_right = limiter, proxies, is_right
        self._by_both = Limit(burst=per_account, window=A_MINUTE, doubling=True)
        self._by_login = Limit(burst=2 * per_account, rate=per_account / A_MINUTE)
        self._by_address = Limit(burst=per_address, window=A_MINUTE)
        self._turn = Semaphore(password_workers.AT_ONCE)

    def is_right(self, request: Request, login: str, password: str, stored: str | None) -> bool:
        """Whether it is the password of the stored hash; None takes as long and never is.

        Raises Problem 429 when too many were wrong, 503 when too many wait to be looked at.
        """
        if self._turn.balance <= -MOST_WAITING:
            detail = "Too many are signing in; try again."
            raise Problem(503, "unavailable", "Try again", detail, headers={"Retry-After": "1"})
        address = self._proxies.client(request)
        both, known = _key("both", login, address), _key("known", login, address)
        counted = {both: self._by_both, _key("address", address): self._by_address}
        # One looks and counts while at most one other does: a hundred at once are no hundred guesses.
        with self._turn:
            if not self._limiter.remembers(known):
                counted[_key("login", login)] = self._by_login
            self._refuse_if_too_many(counted, address)
            if self._is_right(password, stored):
                self._limiter.forget(both)
                self._limiter.remember(known, A_MONTH)
                return True
            for key, limit in counted.items():
                self._limiter.strike(key, limit)
        logger.warning("wrong password", extra={"address": address, "account_is_known": stored is not None})
        return False

    def _refuse_if_too_many(self, counted: Mapping[str, Limit], address: str) -> None:
        wait = max(self._limiter.take(key, limit, 0).wait for key, limit in counted.items())
        if wait > 0:
            logger.warning("too many wrong passwords", extra={"address": address, "seconds": round(wait, 3)})
            raise too_many(wait, "Too many wrong passwords.")


def _key(kind: str, *parts: str) -> str:
    return f"limit:{digest(kind, *parts).hex()}"
