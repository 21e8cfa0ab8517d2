"""Services that do as their messages say. They stand on the plumbing as real ones do."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import eventlet
from eventlet import patcher
from marshmallow import INCLUDE, Schema, fields
from werkzeug.wrappers import Request, Response

from shared.contracts.errors import Conflict, Invalid, NotFound, Rejected, ServiceError, field_error
from shared.contracts.rpc import RpcMethod
from shared.contracts.wire import Json
from shared.http.entrypoint import Stream, answer, body_of, http
from shared.plumbing import commands
from shared.plumbing.database import DEFAULT_TIMEOUT, Connection, Database
from shared.plumbing.relay import Relay
from shared.plumbing.rpc import RpcClient, gather, rpc
from shared.plumbing.subscriptions import Message, subscribe

logger = logging.getLogger(__name__)

NOTE = "insert into notes (word) values (%s)"
heard: Counter[str] = Counter()


class Untyped(RpcMethod):
    """A method whose request and response are any JSON."""

    def dump_request(self, request: Json) -> Json:
        return request

    def dump_response(self, response: Any) -> Any:
        return response

    def check_response(self, response: Any) -> Any:
        return response


class AnyRequest(Schema):
    class Meta:
        unknown = INCLUDE


class Note(AnyRequest):
    word = fields.String(required=True)


def untyped(name: str, request: Schema | None = None) -> RpcMethod:
    return Untyped(owner="answers", name=name, request=request or AnyRequest())


def note(conn: Connection, word: str) -> None:
    conn.execute(NOTE, (word,))


class Listener:
    """Notes the `word` of each message, once it has failed `fails` times; gives the database `within` seconds."""

    name = "listener"

    db = Database()

    @subscribe("double.work", batch=50)
    def listen(self, messages: Sequence[Message]) -> None:
        with self.db.connection(min(message.body.get("within", DEFAULT_TIMEOUT) for message in messages)) as conn:
            for message in messages:
                self._hear(conn, message)

    def _hear(self, conn: Connection, message: Message) -> None:
        word = message.body["word"]
        logger.info("heard", extra={"word": word, "key": message.key, "monotonic": time.monotonic()})
        if message.body.get("reject"):
            raise Rejected("not_this_one")
        if message.body.get("fails"):
            heard[word] += 1
            if heard[word] <= message.body["fails"]:
                raise RuntimeError(f"{word} fails")
        note(conn, word)
        eventlet.sleep(message.body.get("seconds", 0))


class Answers:
    name = "answers"

    db = Database()

    @rpc(untyped("echo"))
    def echo(self, **words: Any) -> Any:
        logger.info("asked")
        return words

    @rpc(untyped("modules"))
    def modules(self) -> list[str]:
        return sorted(sys.modules)

    @rpc(untyped("note", Note()))
    def note(self, word: str, seconds: float = 0) -> None:
        eventlet.sleep(seconds)
        with self.db.connection() as conn:
            note(conn, word)

    @rpc(untyped("note_once"))
    def note_once(self, command_id: str, word: str) -> Any:
        def work() -> Any:
            note(conn, word)
            return {"word": word, "at": time.time()}

        with self.db.connection() as conn:
            return commands.once(conn, UUID(command_id), work)

    @rpc(untyped("wait"))
    def wait(self, seconds: float) -> float:
        logger.info("asked")
        eventlet.sleep(seconds)
        return seconds

    @rpc(untyped("query"))
    def query(self, seconds: float = 0) -> int:
        with self.db.connection() as conn:
            return int(conn.execute("select 1 from pg_sleep(%s)", (seconds,)).fetchone()[0])

    @rpc(untyped("queries_at_once"))
    def queries_at_once(self, number: int, seconds: float) -> float:
        def query(_: int) -> None:
            with self.db.connection() as conn:
                conn.execute("select pg_sleep(%s)", (seconds,))

        started = time.monotonic()
        list(eventlet.GreenPool(number).imap(query, range(number)))
        return time.monotonic() - started

    @rpc(untyped("reject"))
    def reject(self) -> None:
        raise Rejected("not_allowed")

    @rpc(untyped("complain"))
    def complain(self, **words: Any) -> None:
        raise Invalid(errors={word: [field_error("unknown_field")] for word in words})

    @rpc(untyped("fail"))
    def fail(self) -> None:
        raise RuntimeError("postgres://u:secret@h/db")

    @rpc(untyped("lose"))
    def lose(self) -> None:
        with self.db.connection() as conn:
            conn.execute("select pg_terminate_backend(pg_backend_pid())")

    @rpc(untyped("no_json"))
    def no_json(self) -> object:
        return object()

    @rpc(untyped("block"))
    def block(self, seconds: float) -> None:
        patcher.original("time").sleep(seconds)


class Asker:
    """Asks `Answers` for HTTP clients."""

    name = "asker"

    db = Database()
    answers = RpcClient("answers")

    @http("GET", "/quick")
    def quick(self, request: Request) -> Response:
        return answer({"quick": True})

    @http("POST", "/ask/<method>")
    def ask(self, request: Request, method: str) -> Response:
        return answer(self.answers.call(untyped(method), float(request.args.get("timeout", 3)), **body_of(request)))

    @http("POST", "/gather")
    def ask_at_once(self, request: Request) -> Response:
        asks = {
            name: partial(self.answers.call, untyped(one.pop("method")), **one)
            for name, one in body_of(request).items()
        }
        told = gather(asks, float(request.args["timeout"]))
        return answer({name: repr(one) if isinstance(one, ServiceError) else one for name, one in told.items()})

    @http("GET", "/query")
    def query(self, request: Request) -> Response:
        with self.db.connection() as conn:
            conn.execute("select pg_sleep(%s)", (float(request.args.get("seconds", 0)),))
        return answer({"answered": True})

    @http("POST", "/echo", body_limit=1000)
    def echo(self, request: Request) -> Response:
        return answer(body_of(request))

    @http("GET", "/fail/<how>")
    def fail(self, request: Request, how: str) -> Response:
        raise {
            "bug": RuntimeError("postgres://u:secret@h/db"),
            "missing": NotFound(),
            "conflict": Conflict(),
            "surrogate": Rejected("\ud800"),
        }[how]

    @http("GET", "/sleep/<float:seconds>")
    def sleep(self, request: Request, seconds: float) -> Response:
        eventlet.sleep(seconds)
        return answer({"slept": seconds})

    @http("GET", "/stream")
    def stream(self, request: Request) -> Response:
        return Stream(ticks(), mimetype="text/event-stream")


def ticks() -> Iterator[bytes]:
    while True:
        yield b": tick\n\n"
        eventlet.sleep(0.1)


class CallsRelay:
    name = "calls-relay"

    outbox = Relay("calls")


class Stubborn:
    """Never ends what it has begun."""

    name = "stubborn"

    db = Database()

    @subscribe("double.work", batch=1)
    def listen(self, messages: Sequence[Message]) -> None:
        logger.info("heard")
        while True:
            if messages[0].body["word"] == "sleeping":
                eventlet.sleep(1)
