"""Errors of the disk: full, or unavailable."""

import errno
import os
from pathlib import Path

import pytest

from services.recordings.folder import storage_error
from services.recordings.objects import StorageFull
from services.recordings.uploads import received_file
from shared.contracts.errors import Unavailable


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EIO, Unavailable),
        (errno.ENOENT, Unavailable),
        (errno.EROFS, Unavailable),
    ],
)
def test_errors_of_a_full_disk_are_distinguished_from_others(number: int, kind: type[Exception]):
    assert isinstance(storage_error(OSError(number, os.strerror(number))), kind)


def test_a_disk_that_is_full_at_fsync_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull), received_file(tmp_path, lambda max_size: bytes(max_size), 1000):
        pytest.fail("the upload was accepted")
    assert list(tmp_path.iterdir()) == []
