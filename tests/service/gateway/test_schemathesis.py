"""Schemathesis asks every door what the OpenAPI document allows and forbids; each answer must be one it tells of."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.gateway.domain.permissions import ANONYMOUS
from services.gateway.service import ENDPOINTS
from tests.service.gateway import samples
from tests.service.gateway.callers import Caller
from tests.service.gateway.factories import ROLES
from tests.service.gateway.scenario import World
from tests.sizes import sized

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "use_after_free",
)
OPERATIONS = sorted(set(ENDPOINTS) - {"end_session", "take_recording"})
"""All but the one after which a caller is nobody any more, and the one that does not look at what it is sent."""
CALLERS = [*ROLES, "ingest key", "export key", "anonymous"]
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 411, 413, 414, 415, 422, 428, 429, 431, "5xx"]
REFUSED = ["[checks.negative_data_rejection]", f"expected-statuses = {json.dumps(REFUSALS)}"]
SILENT_STREAM = ["[[operations]]", 'include-operation-id = "stream_journal"', "request-timeout = 1.0"]
"""Nothing happens to calls meanwhile: nobody need listen for long."""

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("owners"), pytest.mark.timeout(300)]


def configured(world: World, folder: Path, *more: str) -> Path:
    """Ids of things that are there, so that doors are asked about more than what is missing."""
    ids = {
        name: thing
        for spec in ENDPOINTS.values()
        for name, thing in samples.ids_of(spec, world.homes, world.company).items()
    }
    given = [f'"path.{name}" = "{thing}"' for name, thing in ids.items()]
    file = folder / "schemathesis.toml"
    file.write_text("\n".join([*more, *SILENT_STREAM, *REFUSED, "[parameters]", *given]))
    return file


def run(world: World, config: Path, size: SimpleNamespace, *options: str) -> None:
    command = [SCHEMATHESIS, "--config-file", config, "run", f"{world.gateway.url}/api/v1/openapi.json"]
    how = ["--max-examples", str(size.examples), "--max-redirects", "0", "--continue-on-failure", "--no-color"]
    seed = ["--seed", str(size.seed)] if size.seed else []
    done = subprocess.run(
        [*command, *how, *seed, *options],
        cwd=config.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: " in done.stdout


@sized("R52")
@pytest.mark.parametrize("name", CALLERS)
def test_whoever_asks_the_answer_is_in_the_document(world: World, tmp_path: Path, size: SimpleNamespace, name: str):
    """At the doors that are open to them; the others are the table's business."""
    caller: Caller = world.callers.all[name]()
    shown = dict(caller.headers)
    # A key is said as the document has it, or what is asked beside it is taken for a caller of its own.
    key = shown.pop("X-Api-Key", None)
    auth = ["[auth.openapi.key]", f'api_key = "{key}"'] if key else []
    headers = [word for header in shown.items() for word in ("--header", ": ".join(header))]
    allowed = {caller.who or ANONYMOUS}
    doors = [
        word for name in OPERATIONS if ENDPOINTS[name].roles & allowed for word in ("--include-operation-id", name)
    ]
    config = configured(world, tmp_path, *auth)
    run(world, config, size, "--checks", ",".join(CHECKS), "--phases", size.phases, *headers, *doors)
    if name in ROLES:
        assert world.gateway("GET", "/api/v1/me", headers=caller.headers).status_code == 200, "nobody ended the session"


@sized("R52")
def test_an_administrator_gets_nothing_that_another_company_made(world: World, tmp_path: Path, size: SimpleNamespace):
    peers = {company.tenant: world.callers.person(company, "administrator") for company in (world.company, world.other)}
    auth = [
        {"name": name, "fixedHeaders": [{"name": key, "value": value} for key, value in peer.headers.items()]}
        for name, peer in peers.items()
    ]
    (tmp_path / "peers.json").write_text(json.dumps({"auth": auth}))
    who = ["[auth.wfc]", 'path = "peers.json"', f"peers = {json.dumps(list(peers))}"]
    checks = ",".join([*CHECKS, "object_level_authorization"])
    doors = [word for door in OPERATIONS for word in ("--include-operation-id", door)]
    run(world, configured(world, tmp_path, *who), size, "--checks", checks, "--phases", "fuzzing,stateful", *doors)
