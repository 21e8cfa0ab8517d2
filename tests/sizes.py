"""How big the test of each requirement is: short in `make test`, full in `make soak` (docs/reliability.md)."""

from types import SimpleNamespace

import pytest

Size = SimpleNamespace

SIZES = {
    "R1": (Size(messages=60), Size(messages=10_000)),
    "R2": (Size(pauses=(0.1, 0.2, 0.3, 0.4, 0.5)), Size(pauses=(1, 5, 30, 120, 600))),
    "R3": (Size(messages=20), Size(messages=1_000)),
    "R4": (Size(messages=400), Size(messages=10_000)),
    "R5": (Size(outage=1.5), Size(outage=60.0)),
    "R9": (Size(messages=1_500), Size(messages=50_000)),
    "R11": (Size(messages=50), Size(messages=1_000)),
    "R12": (Size(commands=100, outage=2.0), Size(commands=10_000, outage=600.0)),
    "R13": (Size(outage=4.0), Size(outage=60.0)),
    "R14": (Size(messages=2_000), Size(messages=100_000)),
    "R16": (Size(calls=10, timeout=0.5), Size(calls=1_000, timeout=3.0)),
    "R17": (Size(calls=1_000), Size(calls=100_000)),
    "R18": (
        Size(restarts=2, expires=1.5, within=4.0, every=0.0),
        Size(restarts=100, expires=60.0, within=120.0, every=6.0),
    ),
    "R19": (Size(commands=40), Size(commands=10_000)),
    "R23": (Size(clients=200, places=20, sockets=100), Size(clients=5_000, places=500, sockets=600)),
    "R24": (Size(clients=40, places=20, seconds=3.0), Size(clients=500, places=100, seconds=300.0)),
    "R25": (Size(requests=1_000), Size(requests=100_000)),
    "R26": (Size(ends=2), Size(ends=100)),
    "R27": (Size(orders=3), Size(orders=24)),
    "R34": (Size(requests=200, messages=1_000), Size(requests=200_000, messages=1_000_000)),
    "R40": (Size(events=600, kills=2, writers=16), Size(events=20_000, kills=20, writers=16)),
    "comments": (Size(examples=5, people=4, each=8), Size(examples=10, people=8, each=125)),
    "R57": (Size(tries=15, apart=0.5), Size(tries=1_000, apart=0.05)),
    "R51": (Size(questions=2_000), Size(questions=100_000)),
    "R52": (
        Size(examples=3, seed=1, phases="examples,fuzzing"),
        Size(examples=50, seed=None, phases="examples,coverage,fuzzing"),
    ),
    "import": (Size(rows=10_000), Size(rows=1_000_000)),
    "optimistic": (Size(writers=8, appends=10), Size(writers=8, appends=50)),
}
AN_HOUR = 3600


def sized(requirement: str) -> pytest.MarkDecorator:
    """Give the test `size`: what SIZES says of the requirement, short and full."""
    short, full = SIZES[requirement]
    return pytest.mark.parametrize(
        "size",
        [
            pytest.param(short, id="short"),
            pytest.param(full, id="full", marks=[pytest.mark.soak, pytest.mark.timeout(AN_HOUR)]),
        ],
    )
