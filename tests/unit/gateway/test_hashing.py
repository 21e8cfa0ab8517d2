"""Hashing neither stops the event loop nor keeps the memory that it needs. Tried in a process of its own."""

import json
import subprocess
import sys

import pytest

HASH = """
import warnings; warnings.simplefilter("ignore")
import eventlet; eventlet.monkey_patch()
import json
from services.gateway.directory import passwords
from services.gateway.auth import password_workers

def resident():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))) // 1024

def tick():
    global ticks
    while True:
        eventlet.sleep(0.001)
        ticks += 1

stored, ticks, before = passwords.hash_of("right"), 0, resident()
eventlet.spawn(tick)
words = ["right", "wrong"] * 30
right = list(eventlet.GreenPool(60).imap(lambda word: password_workers.is_right(word, stored), words))
print(json.dumps({"right": right == [True, False] * 30, "ticks": ticks, "grown": resident() - before}))
"""


@pytest.fixture(scope="module")
def hashed():
    ran = subprocess.run([sys.executable, "-c", HASH], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(ran.stdout)


def test_sixty_at_once_are_each_told_the_truth(hashed):
    assert hashed["right"]


def test_others_go_on_while_passwords_are_hashed(hashed):
    assert hashed["ticks"] > 60


def test_the_memory_is_given_back(hashed):
    assert hashed["grown"] < 60
