"""A process that hears an exchange, as its service declares it."""

import os
import sys
from pathlib import Path

import pytest

from tests.service.asterisk.exchange import SECRET, USER, Exchange, Start
from tests.support.infrastructure import ROOT, Service, Services, Stack
from tests.unit.feeds.exchange import TENANT, TRUNKS


@pytest.fixture
def start(stack: Stack, services: Services, tmp_path: Path) -> Start:
    def started(exchange: Exchange, spool: str = "spool", **told_: str) -> Service:
        own = {"AMI_HOST": "127.0.0.1", "AMI_PORT": str(exchange.port), "AMI_USER": USER, "AMI_SECRET": SECRET}
        own |= {"AMI_TENANT": TENANT, "AMI_TRUNKS": ",".join(TRUNKS), "AMI_SPOOL": str(tmp_path / spool)}
        environment = {**os.environ, **stack.env("asterisk"), **own, **told_, "PYTHONPATH": str(ROOT)}
        return services.spawn([sys.executable, "-m", "services.asterisk"], environment, ready=False)

    return started
