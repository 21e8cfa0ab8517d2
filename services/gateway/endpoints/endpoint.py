"""What every door has in common: who may come in, what they may send, and that a repeated write is one write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, update_wrapper
from http import HTTPMethod
from inspect import getdoc
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from marshmallow import Schema
from nameko.dependency_providers import Config
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request, Response

from services.gateway.auth.authenticator import Credentials
from services.gateway.domain.people import Account
from services.gateway.domain.permissions import ANONYMOUS, PERMISSIONS, Caller
from services.gateway.http import idempotency, schemas
from services.gateway.journal.change_notifier import RedisChangeNotifier
from shared.contracts.errors import Invalid, NotFound
from shared.http.entrypoint import BODY_LIMIT, Problem, body_of, bytes_of, http
from shared.plumbing import clock
from shared.plumbing.database import Database
from shared.plumbing.publisher import Publishers
from shared.plumbing.rpc import RpcClient

Answers = Mapping[int, Schema | str]
"""What a door answers, by status: JSON of a schema, or another content by its media types, with commas between
them ("" for none).

Refusals that follow from the spec (credentials, role, path, body) need not be named; others, 409 say, are PROBLEM.
"""
PROBLEM = "application/problem+json"
WRITES = frozenset({HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH, HTTPMethod.DELETE})
NO_QUERY = NO_HEADERS = Schema()
LONGEST_KEY = 128


class Broker(DependencyProvider):
    """Gives a worker the `Publishers` of this process."""

    def setup(self) -> None:
        self.publishers = Publishers(self.container.config["AMQP_URI"])

    def get_dependency(self, worker_ctx: object) -> Publishers:
        return self.publishers


class EndpointGroup:
    """Doors of one subject inherit this; the service inherits them all and has each dependency once."""

    db = Database()
    credentials = Credentials()
    publishers = Broker()
    notifier = RedisChangeNotifier()
    billing = RpcClient("billing")
    calls = RpcClient("calls")
    comments = RpcClient("comments")
    recordings = RpcClient("recordings")
    config = Config()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSpec:
    """What stands written on a door. The checks are made from it, and so is the OpenAPI document."""

    name: str
    method: str
    path: str
    query: Schema
    headers: Schema
    body: Schema | str | None
    answers: Answers
    body_limit: int
    summary: str
    description: str

    @property
    def is_public(self) -> bool:
        """Nobody is asked who they are."""
        return ANONYMOUS in PERMISSIONS[self.name]

    @property
    def writes(self) -> bool:
        return self.method in WRITES


ENDPOINTS: dict[str, EndpointSpec] = {}


class RequestContext(NamedTuple):
    """Somebody at a door. What they ask and send is read when the door has found what it is about: 404 before 422."""

    spec: EndpointSpec
    request: Request
    who: Caller | None
    repeat: idempotency.Repeat | None
    command_id: UUID
    """The same for a repeat of the same write: what an owner is told, so that it does it once."""

    @property
    def caller(self) -> Caller:
        """Who comes in; at an open door nobody was asked."""
        assert self.who is not None, f"{self.spec.name} is an open door"
        return self.who

    @property
    def account(self) -> Account:
        """The same at a door that only people come through."""
        assert isinstance(self.who, Account), f"{self.spec.name} is not for people only"
        return self.who

    def query(self) -> Any:
        """The query, loaded. Raises Invalid."""
        return schemas.load_query(self.spec.query, self.request.args.lists())

    def body(self) -> Any:
        """The JSON body, loaded. Raises Invalid, and Problem for what is not JSON."""
        self.query()
        body = body_of(self.request)
        return schemas.load(self.spec.body, body) if isinstance(self.spec.body, Schema) else body


def endpoint(
    method: str,
    path: str,
    *,
    answers: Answers,
    query: Schema = NO_QUERY,
    headers: Schema = NO_HEADERS,
    body: Schema | str | None = None,
    body_limit: int = BODY_LIMIT,
    transactional: bool = False,
    idempotent: bool = True,
) -> Callable[[Any], Any]:
    """Make a method an HTTP endpoint. It gets the RequestContext and the path's ids as UUIDs, once access is checked.

    `headers` are told of, and read by the method. `body` is a schema, or the media type of what is not JSON. With
    `transactional` the method is given a connection too, whose transaction is the whole write. A repeat of what is not
    `idempotent` is done anew: for a body that is not to be read here.
    """

    def decorate(enter: Any) -> Any:
        name, (summary, _, description) = enter.__name__, (getdoc(enter) or "").partition("\n\n")
        spec = ENDPOINTS[name] = EndpointSpec(
            name=name,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            answers=answers,
            body_limit=body_limit,
            summary=" ".join(summary.split()),
            description=description,
        )

        def handle_request(self: EndpointGroup, request: Request, **ids: str) -> Response:
            caller = None if spec.is_public else self.credentials.caller(self.db, request, name)
            try:
                return answered(self, request, caller, ids)
            except Problem as refusal:
                self.credentials.note(refusal, request, name, caller)
                raise

        def answered(self: EndpointGroup, request: Request, caller: Caller | None, ids: Mapping[str, str]) -> Response:
            found = {key: _uuid(value) for key, value in ids.items()}
            repeat = _repeat(request, caller) if spec.writes and caller and idempotent else None
            context = partial(RequestContext, spec, request, caller, repeat)
            if transactional and spec.body is not None:
                # Before a transaction is open: a slow client would hold its connection and its locks.
                bytes_of(request)
            if transactional:
                return idempotency.here(self.db, repeat, lambda conn: enter(self, context(uuid4()), conn, **found))
            return idempotency.elsewhere(self.db, repeat, lambda id_: enter(self, context(id_), **found))

        update_wrapper(handle_request, enter)
        # Nameko holds arguments against the signature of what is wrapped, which takes others.
        del handle_request.__wrapped__  # type: ignore[attr-defined]
        return http(method, path, body_limit=body_limit)(handle_request)

    return decorate


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def _repeat(request: Request, caller: Caller) -> idempotency.Repeat | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY:
        raise Invalid("The Idempotency-Key is malformed.", {"Idempotency-Key": [f"Not 1 to {LONGEST_KEY} characters."]})
    # With the key, which stands nowhere: a body may hold a password, and its digest is kept.
    asked = (key, request.method, request.full_path, request.mimetype, bytes_of(request))
    return idempotency.Repeat(caller.id, key, idempotency.digest(*asked), clock.now())
