"""Comments as it is, but for its end: it dies after each commit, before anybody is answered."""

import os
from typing import Any, NoReturn

from services.comments.service import CommentsService
from shared.plumbing import rpc

__all__ = ["CommentsService"]


def die(*_: Any) -> NoReturn:
    os._exit(1)


rpc._RpcConsumer.handle_result = die  # type: ignore[method-assign]
