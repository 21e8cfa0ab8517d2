"""The `@endpoint` decorator: everything that is true of an endpoint is declared on it.

The checks run in one order: credentials (401), role (403), scope (404), then query and body (422). The OpenAPI
document and the access tests are made from the same declarations.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http import HTTPMethod
from inspect import getdoc, getmembers
from typing import Any
from uuid import UUID, uuid4

from marshmallow import Schema
from nameko.dependency_providers import Config
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request, Response

from services.gateway.auth.authenticator import Credentials, Identity, Session
from services.gateway.domain.people import Account
from services.gateway.domain.permissions import AccessRules, Caller, KeyCredential, RateLimit, Roles
from services.gateway.http import idempotency, schemas
from services.gateway.http.idempotency import IdempotentRequest
from services.gateway.journal.change_notifier import RedisChangeNotifier
from shared.contracts.errors import Invalid, NotFound
from shared.http.entrypoint import BODY_LIMIT, Problem, body_of, bytes_of, http
from shared.plumbing import clock
from shared.plumbing.database import Connection, Database
from shared.plumbing.publisher import Publishers
from shared.plumbing.rpc import RpcClient

Answers = Mapping[int, Schema | str]
"""The responses of an endpoint by status: a schema of the JSON, or media types separated by commas ("": no body).

Refusals that follow from the declaration (credentials, role, path, body) are left out; others, say 409, are PROBLEM.
"""
PROBLEM = "application/problem+json"
WRITES = frozenset({HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH, HTTPMethod.DELETE})
NO_QUERY = NO_HEADERS = Schema()
Ids = Mapping[str, UUID]
NO_QUERY_ROLES: Mapping[str, Roles] = {}
MAX_IDEMPOTENCY_KEY_LENGTH = 128


class Broker(DependencyProvider):
    """Gives a worker the `Publishers` of this process."""

    def setup(self) -> None:
        self.publishers = Publishers(self.container.config["AMQP_URI"])

    def get_dependency(self, worker_ctx: object) -> Publishers:
        return self.publishers


class EndpointGroup:
    """The endpoints of one resource. The service inherits all groups and has each dependency once."""

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
    """The declaration of an endpoint."""

    name: str
    method: str
    path: str
    access: AccessRules
    query: Schema
    headers: Schema
    body: Schema | str | None
    answers: Answers
    body_limit: int
    idempotent: bool
    summary: str
    description: str

    @property
    def is_public(self) -> bool:
        return self.access.is_public

    @property
    def roles(self) -> Roles:
        return self.access.roles

    @property
    def writes(self) -> bool:
        return self.method in WRITES


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """A request of a permitted caller. `resource`, `query`, `body` are set in this order before the handler runs."""

    spec: EndpointSpec
    request: Request
    identity: Identity | None
    idempotent_request: IdempotentRequest | None
    command_id: UUID
    """The same for each repetition of a write, so that the owner of the data does it once."""
    resource: Any = None
    """What the `scope` of the endpoint returned."""
    query: Any = None
    body: Any = None
    """The loaded JSON, or what `read_body` returned; None for other media types."""

    @property
    def caller(self) -> Caller:
        return self._identity.caller

    @property
    def account(self) -> Account:
        """The caller of an endpoint that is for people only."""
        caller = self.caller
        assert isinstance(caller, Account), f"{self.spec.name} is not for people only"
        return caller

    @property
    def session(self) -> Session:
        """The session of an endpoint that is for people only."""
        assert self._identity.session is not None, f"{self.spec.name} is not for people only"
        return self._identity.session

    @property
    def credential_id(self) -> UUID:
        """The id of the session or the API key, by which a long response checks that the caller is still let in."""
        return self._identity.credential_id

    @property
    def _identity(self) -> Identity:
        assert self.identity is not None, f"{self.spec.name} is public"
        return self.identity


def endpoint(
    method: str,
    path: str,
    *,
    roles: Roles,
    answers: Answers,
    scope: Callable[..., Any] | None = None,
    query: Schema = NO_QUERY,
    query_roles: Mapping[str, Roles] = NO_QUERY_ROLES,
    headers: Schema = NO_HEADERS,
    body: Schema | str | None = None,
    read_body: Callable[[RequestContext], Any] | None = None,
    body_limit: int = BODY_LIMIT,
    key_credentials: Collection[KeyCredential] = (),
    csrf: bool | None = None,
    limit: RateLimit | None = None,
    transactional: bool = False,
    idempotent: bool | None = None,
) -> Callable[[Any], Any]:
    """Make a method of an EndpointGroup an HTTP endpoint. It takes the RequestContext and the ids of the path.

    :param roles: who may call it.
    :param answers: the responses by status.
    :param scope: finds the object that the path names, or raises NotFound. It is called as the method is, before the
        query and the body are loaded; what it returns is `context.resource`.
    :param query: the query parameters; others are refused.
    :param query_roles: who may use a query parameter that not all callers may use.
    :param headers: headers that the document describes and the method reads.
    :param body: a schema of the JSON, or the media types of another body.
    :param read_body: reads the body where loading it with the schema is not enough.
    :param body_limit: bytes of the body.
    :param key_credentials: ways to present an API key besides the header.
    :param csrf: whether a session cookie needs the CSRF token; by default for every write.
    :param limit: a rate limit besides the one for all requests.
    :param transactional: the method takes a connection after the context; its transaction is the whole write.
    :param idempotent: whether a repetition under the same Idempotency-Key is answered like the first request; by
        default every write of a known caller. Not for a body that the gateway does not read.
    """
    writes = method in WRITES
    access = AccessRules(
        roles=roles,
        query_roles=query_roles,
        key_credentials=frozenset(key_credentials),
        csrf=writes if csrf is None else csrf,
        limit=limit,
    )

    def decorate(handler: Any) -> Any:
        summary, _, description = (getdoc(handler) or "").partition("\n\n")
        spec = EndpointSpec(
            name=handler.__name__,
            method=method,
            path=path,
            access=access,
            query=query,
            headers=headers,
            body=body,
            answers=answers,
            body_limit=body_limit,
            idempotent=writes and not access.is_public if idempotent is None else idempotent,
            summary=" ".join(summary.split()),
            description=description,
        )

        runner = _Runner(spec, handler, scope, read_body, transactional)

        def handle_request(self: EndpointGroup, request: Request, **ids: str) -> Response:
            return runner.handle(self, request, ids)

        handle_request.__name__, handle_request.__doc__ = handler.__name__, handler.__doc__
        handle_request.spec = spec  # type: ignore[attr-defined]
        return http(method, path, body_limit=body_limit)(handle_request)

    return decorate


def all_endpoints(service: type[EndpointGroup]) -> dict[str, EndpointSpec]:
    """The declarations of a service's endpoints by method name."""
    return {name: method.spec for name, method in getmembers(service) if hasattr(method, "spec")}


@dataclass(frozen=True, slots=True)
class _Runner:
    """Runs the checks of an endpoint in their order, then its handler."""

    spec: EndpointSpec
    handler: Callable[..., Response]
    scope: Callable[..., Any] | None
    read_body: Callable[[RequestContext], Any] | None
    transactional: bool

    def handle(self, group: EndpointGroup, request: Request, ids: Mapping[str, str]) -> Response:
        spec, identity = self.spec, None
        if not spec.is_public:
            identity = group.credentials.authenticate(group.db, request, spec.name, spec.access)
        try:
            # Not a converter of the router: a malformed id must not be answered before the role is checked.
            return self._respond(group, request, identity, {name: _uuid(text) for name, text in ids.items()})
        except Problem as refusal:
            group.credentials.log_denied(refusal, request, spec.name, identity and identity.caller)
            raise

    def _respond(self, group: EndpointGroup, request: Request, identity: Identity | None, ids: Ids) -> Response:
        spec = self.spec
        key = _idempotent_request(request, identity.caller) if spec.idempotent and identity else None
        context = RequestContext(
            spec=spec, request=request, identity=identity, idempotent_request=key, command_id=uuid4()
        )
        if spec.access.limit is None:
            return self._run(group, context, ids)
        with ExitStack() as until_sent:
            until_sent.enter_context(group.credentials.concurrency[spec.access.limit].place(context.caller.id))
            response = self._run(group, context, ids)
            response.call_on_close(until_sent.pop_all().close)
        return response

    def _run(self, group: EndpointGroup, context: RequestContext, ids: Ids) -> Response:
        db, key = group.db, context.idempotent_request
        if not self.transactional:
            return idempotency.run_upstream(
                db, key, lambda command_id: self._check_and_call(group, replace(context, command_id=command_id), ids)
            )
        # Read before a transaction is open: a slow client would hold its connection and its locks.
        if self.spec.body is not None:
            bytes_of(context.request)
        # A body that has its own reader may take seconds to parse.
        if self.read_body is not None and self.scope is None:
            loaded = self._load(context)
            return idempotency.run_in_transaction(db, key, lambda conn: self.handler(group, loaded, conn, **ids))
        return idempotency.run_in_transaction(db, key, lambda conn: self._check_and_call(group, context, ids, conn))

    def _check_and_call(
        self, group: EndpointGroup, context: RequestContext, ids: Ids, *connection: Connection
    ) -> Response:
        if self.scope is not None:
            context = replace(context, resource=self.scope(group, context, *connection, **ids))
        return self.handler(group, self._load(context), *connection, **ids)

    def _load(self, context: RequestContext) -> RequestContext:
        """Load the query and the body. Raises Invalid, and Problem for what is not JSON."""
        spec = self.spec
        context = replace(context, query=schemas.load_query(spec.query, context.request.args.lists()))
        if self.read_body is not None:
            return replace(context, body=self.read_body(context))
        if isinstance(spec.body, Schema):
            return replace(context, body=schemas.load(spec.body, body_of(context.request)))
        return context


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def _idempotent_request(request: Request, caller: Caller) -> IdempotentRequest | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_KEY_LENGTH:
        params = {"max": MAX_IDEMPOTENCY_KEY_LENGTH}
        raise Invalid("idempotency_key_length", params=params, field="Idempotency-Key")
    # The digest contains the key, which is not stored: a body may hold a password, and the digest is.
    content = (key, request.method, request.full_path, request.mimetype, bytes_of(request))
    return IdempotentRequest(caller.id, key, idempotency.digest(*content), clock.now())
