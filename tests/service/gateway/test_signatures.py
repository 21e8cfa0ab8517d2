"""`POST /reports` takes a signature for the key; docs/ingest.md says how, and what it says is run here."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.plumbing.database import Postgres
from tests.service.gateway.factories import Company, Gateway, report
from tests.support.infrastructure import ROOT, Broker

pytestmark = pytest.mark.process

PATH = "/api/v1/reports"
QUEUE = "calls.reports"
EXAMPLES = dict(re.findall(r"<!-- (\w+) -->\n```\w+\n(.*?)```", (ROOT / "docs/ingest.md").read_text(), re.DOTALL))


def key_id(db: Postgres, company: Company, kind: str = "ingest") -> str:
    with db.connection() as conn:
        digest = hashlib.sha256(company.keys[kind].encode()).digest()
        return str(conn.execute("select id from api_keys where digest = %s", [digest]).fetchone()[0])


def signed(key_id: str, key: str, body: bytes, at: float | None = None) -> dict[str, str]:
    seconds = int(time.time() if at is None else at)
    secret = hashlib.sha256(key.encode()).digest()
    made = hmac.new(secret, f"{seconds}\nPOST\n{PATH}\n".encode() + body, hashlib.sha256).hexdigest()
    shown = f"Signature key={key_id}, at={seconds}, hmac={made}"
    return {"Authorization": shown, "Content-Type": "application/json"}


@pytest.fixture
def body(company: Company) -> bytes:
    return json.dumps([report(company)]).encode()


def test_a_signature_stands_for_the_key(gateway: Gateway, company: Company, broker: Broker, gateway_db, body):
    headers = signed(key_id(gateway_db, company), company.keys["ingest"], body)
    assert gateway("POST", PATH, data=body, headers=headers).status_code == 202
    assert broker.count(QUEUE) == 1


def test_a_signature_of_something_else_is_refused(gateway: Gateway, company: Company, broker: Broker, gateway_db, body):
    mine, key = key_id(gateway_db, company), company.keys["ingest"]
    for headers in (
        signed(mine, key, body + b" "),
        signed(mine, "another", body),
        signed(mine, key, body, time.time() - 400),
        signed("6f0c3c1e-6a3e-5d1b-9a53-0f1f4a1d7c11", key, body),
        signed("nonsense", key, body),
    ):
        assert gateway("POST", PATH, data=body, headers=headers).status_code == 401
    assert broker.count(QUEUE) == 0


def test_an_export_key_signs_nothing(gateway: Gateway, company: Company, gateway_db, body):
    headers = signed(key_id(gateway_db, company, "export"), company.keys["export"], body)
    assert gateway("POST", PATH, data=body, headers=headers).status_code == 403


def test_a_revoked_key_signs_no_more(gateway: Gateway, company: Company, gateway_db, body):
    mine = key_id(gateway_db, company)
    with gateway_db.connection() as conn:
        conn.execute("update api_keys set revoked_at = now() where id = %s", [mine])
    headers = signed(mine, company.keys["ingest"], body)
    assert gateway("POST", PATH, data=body, headers=headers).status_code == 401


@pytest.mark.parametrize("name", ["curl", "signed_curl", "python", "signed_python"])
def test_the_examples_work(gateway: Gateway, company: Company, broker: Broker, gateway_db, tmp_path: Path, name):
    told = {"BASE_URL": gateway.url, "TENANT": company.tenant, "KEY": company.keys["ingest"]}
    told |= {"KEY_ID": key_id(gateway_db, company), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c"] if "python" in name else ["bash", "-euc"]
    done = subprocess.run(
        [*command, EXAMPLES[name]], cwd=tmp_path, env=told, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, json.loads(done.stdout)["accepted"]) == (0, 2), done.stderr
    assert broker.count(QUEUE) == 2
