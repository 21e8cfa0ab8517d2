"""Measure the memory use of each process after many calls, and its growth."""

import argparse
from pathlib import Path
from uuid import uuid4

import requests

from tests.performance import company
from tests.performance.figures import Figure
from tests.performance.flow import BATCH, wait_until_visible
from tests.support import system
from tests.support.infrastructure import Services, Stack, emptied

SLICES = 10
LIMIT, GROWTH = 150.0, 20.0


def measure(stack: Stack, services: Services, arguments: argparse.Namespace) -> list[Figure]:
    weights: list[dict[str, float]] = []
    with emptied(stack, "calls"), emptied(stack, "gateway") as gateway_db:
        company.create(gateway_db)
        world = next(system.start(stack, services, {}))
        session, told = requests.Session(), 0
        for part in range(SLICES):
            reports = company.reports(arguments.calls // SLICES, uuid4().hex, seed=part)
            for start in range(0, len(reports), BATCH):
                company.send(session, stack, reports[start : start + BATCH])
            told += len(reports)
            wait_until_visible(stack, told)
            weights.append({name: _resident(service.process.pid) for name, service in world.processes.items()})
    return [
        Figure(
            f"{name}: resident after {arguments.calls:,} calls (after a tenth of them)",
            f"{weight:.0f} MiB ({weights[0][name]:.0f})",
            f"{LIMIT:.0f} MiB, {GROWTH:.0f} more",
            weight <= LIMIT and weight - weights[0][name] <= GROWTH,
        )
        for name, weight in weights[-1].items()
    ]


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024
