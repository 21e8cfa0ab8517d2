"""Choose the object store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.recordings.folder import FolderStore
from services.recordings.objects import ObjectStore


def configured_store(config: Mapping[str, Any]) -> ObjectStore:
    """A bucket if one is configured, else a folder."""
    folder = Path(config["RECORDINGS_FOLDER"])
    if not config["RECORDINGS_BUCKET"]:
        return FolderStore(folder)
    # Imported here because boto3 needs 30 MB of memory.
    from services.recordings.bucket import BucketStore

    return BucketStore(folder, config["RECORDINGS_BUCKET"], config["RECORDINGS_ENDPOINT"] or None)
