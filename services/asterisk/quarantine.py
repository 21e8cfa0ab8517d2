"""What nobody could make anything of, a line each, for a person to look at. The journal goes on without it."""

import logging
from pathlib import Path
from typing import Any

import orjson

logger = logging.getLogger(__name__)

NAME = "not-understood.ndjson"
MAX_QUARANTINE_SIZE = 16 * 1024 * 1024
"""What comes beyond is in the log only: one that is always wrong must not fill the disk."""


class Quarantine:
    def __init__(self, folder: Path) -> None:
        self.file = folder / NAME

    def put(self, what: dict[str, Any]) -> None:
        try:
            with self.file.open("ab") as file:
                if file.tell() < MAX_QUARANTINE_SIZE:
                    file.write(orjson.dumps(what, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            logger.error("nothing can be set aside", extra={"what": what, "error": str(error)})  # noqa: TRY400
