"""What the tests of all doors need to know of each: the things that the ids in paths are of, and bodies that are taken.

A new door needs an entry here only if it has an id of a new kind in its path, or if the example in the OpenAPI
document is not a body that it takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.billing import reratings
from services.comments import handlers as comments
from services.gateway.endpoints.endpoint import EndpointSpec
from services.gateway.endpoints.openapi.document import PATH_ID, document, path_of
from services.gateway.journal import projections
from services.gateway.service import ENDPOINTS
from services.recordings import handlers as recordings
from services.recordings.domain import recording
from services.recordings.domain.recording import AudioFile
from shared.contracts.calls.events import CallPlaced
from shared.contracts.calls.schemas import CallStateSchema
from shared.contracts.recordings.events import Format
from shared.contracts.values import Direction, Role
from shared.plumbing import decider, store
from shared.plumbing.database import Postgres
from shared.plumbing.store import Append, NewEvent
from tests.integration.billing.company import Billing
from tests.integration.gateway.event_factories import COMPANY, NOON, NUMBER, project_states, state
from tests.service.gateway.factories import PASSWORD, ROLES, Company, report
from tests.unit.feeds import switch

DOCUMENT = document(ENDPOINTS)
SUPERVISORS = ROLES["supervisor"]
_numbers = count()

ADD_ACCOUNT = """
    insert into accounts (tenant, login, password_hash, name, folded_name, role)
    values (%(tenant)s, 'login-' || %(n)s, '', 'Somebody', 'somebody', 'operator') returning id
"""
ADD_LINE = """
    insert into lines (tenant, account_id, address, held_from)
    values (%(tenant)s, %(account_id)s, '5' || %(n)s, '2020-01-01Z') returning id
"""
ADD_CONTACT = """
    insert into contacts (tenant, number, name, folded_name)
    values (%(tenant)s, '4' || %(n)s, 'Somebody', 'somebody') returning id
"""
ADD_KEY = """
    insert into api_keys (tenant, kind, name, digest)
    values (%(tenant)s, 'export', 'sample', sha256(%(n)s::bytea)) returning id
"""

Ids = Mapping[str, Any]


@dataclass(frozen=True)
class Homes:
    """The databases in which a thing lives."""

    gateway: Postgres
    calls: Postgres
    billing: Postgres
    comments: Postgres
    recordings: Postgres


def a_call(homes: Homes, company: Company, rung: tuple[str, ...] = tuple(ROLES.values())) -> UUID:
    """A call that everybody of the company may see, or only who holds a line that rang."""
    made = uuid4()
    shown = state(placed_at=NOON, call_id=made, rung=list(rung), answered_by=[rung[0]])
    placed = CallPlaced(
        call_id=made,
        at=NOON,
        report_id="placed",
        direction=Direction.INBOUND,
        caller=NUMBER,
        callee=COMPANY,
        caller_name=None,
        line=COMPANY,
    )
    written = NewEvent(placed, CallStateSchema().dump(shown), "test")
    with homes.calls.connection() as conn:
        store.append(conn, [Append(tenant=company.tenant, stream=f"call-{made}", seen=0, events=[written])], NOON)
    project_states(homes.gateway, [shown], company.tenant)
    return made


def a_row(homes: Homes, statement: str, company: Company, **values: Any) -> UUID:
    """The id of a row that is written for this; `n` is a number that was not used before."""
    with homes.gateway.connection() as conn:
        found = conn.execute(statement, {"tenant": company.tenant, "n": str(next(_numbers)), **values}).fetchone()
    assert found is not None
    made: UUID = found[0]
    return made


def a_rerating(homes: Homes, company: Company) -> UUID:
    """A period that is to be rated again."""
    words = {"tariff_id": None, "dry_run": True, "by": None}
    with homes.billing.connection() as conn:
        begun = reratings.begin(conn, uuid4(), company.tenant, NOON, NOON + timedelta(days=1), **words)
    return UUID(begun["id"])


THINGS: dict[str, Callable[[Homes, Company, Ids], UUID]] = {
    "call_id": lambda homes, company, ids: a_call(homes, company),
    "account_id": lambda homes, company, ids: a_row(homes, ADD_ACCOUNT, company),
    "line_id": lambda homes, company, ids: a_row(homes, ADD_LINE, company, account_id=ids["account_id"]),
    "contact_id": lambda homes, company, ids: a_row(homes, ADD_CONTACT, company),
    "key_id": lambda homes, company, ids: a_row(homes, ADD_KEY, company),
    "tariff_id": lambda homes, company, ids: Billing(homes.billing).tariff(tenant=company.tenant, valid_from=None),
    "rerating_id": lambda homes, company, ids: a_rerating(homes, company),
}
"""By the name of an id in a path: makes such a thing of a company; `ids` are those that stand before it."""

COLLEAGUES: dict[str, Callable[[Homes, Company], UUID]] = {
    "call_id": lambda homes, company: a_call(homes, company, (SUPERVISORS,)),
}
"""The same for things that not everybody of a company sees: makes one of somebody else's."""


def a_comment(homes: Homes, company: Company, ids: Ids) -> None:
    with homes.comments.connection() as conn:
        author = company.people["supervisor"]
        comments.write(conn, uuid4(), company.tenant, ids["call_id"], author, Role.SUPERVISOR, "передзвонити", None)


def a_recording(homes: Homes, company: Company, ids: Ids) -> None:
    call_id, stream = ids["call_id"], f"recording-{ids['call_id']}"
    sound = AudioFile(format=Format.WAV, duration=timedelta(seconds=1), size=10, sha256="a" * 64, peaks=[1, 2])
    with homes.recordings.connection() as conn:
        recordings.store_recording(conn, company.tenant, call_id, uuid4(), sound)
        kept = decider.replay(recording, store.read(conn, [stream])[stream])
    with homes.gateway.connection() as conn:
        projections.upsert_recording(conn, company.tenant, 1, recordings.published_state(stream, kept))


PARTS: dict[str, Callable[[Homes, Company, Ids], None]] = {
    "delete_comment": a_comment,
    "show_comment_history": a_comment,
    "show_recording": a_recording,
    "show_recording_peaks": a_recording,
    "delete_recording": a_recording,
}
"""By the name of a door: makes what a thing must have for the door to do its work."""

SUPERVISORS_WORK = {"delete_comment"}
"""Doors at which a part of a supervisor's making may be changed by who leads alone."""

BODIES: dict[str, Callable[[Company], Any]] = {
    "begin_session": lambda company: {
        "tenant": company.tenant,
        "login": f"{company.prefix}operator",
        "password": PASSWORD,
    },
    "take_reports": lambda company: [report(company, call=str(uuid4()))],
    "take_freeswitch_record": lambda company: switch.json_of(switch.leg(switch.profile("101", "102", str(uuid4())))),
    "add_account": lambda company: {
        "login": f"login-{uuid4()}",
        "password": PASSWORD,
        "name": "Нова Людина",
        "role": "operator",
        "lines": [{"address": an_extension()}],
    },
    "add_line": lambda company: {"address": an_extension()},
    "add_contact": lambda company: {"name": "Катерина", "number": an_extension()},
    "change_contact": lambda company: {"name": "Катерина", "number": an_extension()},
    "change_account": lambda company: {"name": "Інше Ім’я"},
    "change_line": lambda company: {"until": "2026-11-22T08:15:00Z"},
    "change_password": lambda company: {"current": PASSWORD, "new": PASSWORD},
    "take_recording": lambda company: b"RIFF",
    "write_comment": lambda company: {"text": "передзвонити"},
    "import_tariff": lambda company: b"direction;prefix;per_minute\noutbound;+38050;1,20\n",
    "begin_rerating": lambda company: {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "dry_run": False},
    "import_contacts": lambda company: f"name,number\nКатерина,{an_extension()}\n".encode(),
}
"""By the name of a door: a body that it takes, if the document's example is none; made for each request, so unique."""


def an_extension() -> str:
    return f"6{next(_numbers):06}"


def operation(spec: EndpointSpec) -> Any:
    return DOCUMENT["paths"][path_of(spec)][spec.method.lower()]


def ids_of(spec: EndpointSpec, homes: Homes, company: Company) -> dict[str, Any]:
    """Things of the company for all ids in the path."""
    ids: dict[str, Any] = {}
    for name in PATH_ID.findall(spec.path):
        if name not in THINGS:
            pytest.fail(f"Say in samples.THINGS how a company comes to a {name}: {spec.name} has one in its path.")
        ids[name] = THINGS[name](homes, company, ids)
    complete(spec, homes, company, ids)
    return ids


def complete(spec: EndpointSpec, homes: Homes, company: Company, ids: Ids) -> None:
    if spec.name in PARTS:
        PARTS[spec.name](homes, company, ids)


def path(spec: EndpointSpec, ids: Ids) -> str:
    return path_of(spec).format(**ids)


def asked(spec: EndpointSpec) -> dict[str, Any]:
    """The parameters that a question must have."""
    return {p["name"]: p["example"] for p in operation(spec)["parameters"] if p["in"] == "query" and p["required"]}


def sent(spec: EndpointSpec, company: Company) -> dict[str, Any]:
    """The body, as arguments for the client."""
    if spec.body is None:
        return {}
    media, content = next(iter(operation(spec)["requestBody"]["content"].items()))
    if spec.name not in BODIES and "example" not in content:
        pytest.fail(f"Say in samples.BODIES what {spec.name} takes: it is {media}, of which there is no example.")
    made = BODIES[spec.name](company) if spec.name in BODIES else content["example"]
    return {"data": made, "headers": {"Content-Type": media}} if isinstance(made, bytes) else {"json": made}
