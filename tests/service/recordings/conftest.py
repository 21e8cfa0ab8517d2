"""One recordings service for all tests in this folder, with its own storage folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.contracts.recordings.links import Keyring
from tests.service.recordings.media_client import Media
from tests.support.infrastructure import Services, Stack

SERVICE = "services.recordings.service:RecordingsService"


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="package")
def recordings(stack: Stack, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = Services(stack, tmp_path_factory.mktemp("logs"))
    services.start(SERVICE, of="recordings", RECORDINGS_FOLDER=str(folder))
    yield services
    services.stop()


@pytest.fixture
def media(stack: Stack, recordings: Services) -> Media:
    env = stack.env("recordings")
    return Media(f"http://{env['WEB_ADDRESS']}", Keyring(Path(env["LINK_KEYS_FILE"]).read_text().split()))
