"""What a disk refuses, in our words: somebody must make room, or try again later."""

import errno
import os
from pathlib import Path

import pytest

from services.recordings.objects import NoRoom, refused
from services.recordings.uploads import received
from shared.contracts.errors import Unavailable


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, NoRoom),
        (errno.EDQUOT, NoRoom),
        (errno.EFBIG, NoRoom),
        (errno.EIO, Unavailable),
        (errno.ENOENT, Unavailable),
        (errno.EROFS, Unavailable),
    ],
)
def test_a_full_disk_is_one_thing_and_a_broken_one_another(number: int, kind: type[Exception]):
    assert isinstance(refused(OSError(number, os.strerror(number))), kind)


def test_a_disk_that_is_full_only_when_all_must_be_on_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoRoom), received(tmp_path, lambda most: bytes(most), 1000):
        pytest.fail("it was taken")
    assert list(tmp_path.iterdir()) == []
