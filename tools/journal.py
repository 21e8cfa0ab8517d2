"""The journal's own tool: messages that could not be processed, and the facts behind every row.

journal dead list calls.reports          what is parked, and why
journal dead show 3f2a                   one of them, whole
journal dead retry 3f2a --with fixed.json
journal look call-7ef6dd2e-9b0f-5680-9a86-53136dcf68e9
journal verify                           is every row what its stream says?
journal resend oselia                    a view that lost rows gets them back
journal import asterisk-csv Master.csv   years of old records; freeswitch-json DIR, reports FILE.ndjson
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from shared.contracts.errors import ServiceError
from shared.contracts.topology import EVENT_SOURCES, STREAM_OWNERS
from shared.plumbing.publisher import BROKER_ERRORS, Publisher
from tools import dead_letters, streams, verify_projections
from tools.dead_letters import QUEUE_NAMES, Letter
from tools.importing import command as importing
from tools.verify_projections import Projection

SHORT = 8
MOST_DIFFERENCES = 20


class Complaint(Exception):
    """What went wrong, in a sentence."""


def main(arguments: list[str] | None = None) -> int:
    asked = _arguments().parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = asked.run
        return run(asked)
    except Complaint as complaint:
        return _complain(str(complaint))
    except ServiceError as error:
        return _complain(f"{error} Nothing was lost: what was not confirmed is still parked.")
    except BROKER_ERRORS as error:
        if isinstance(error, BrokenPipeError):
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            return 1
        return _complain(
            f"The message broker does not answer ({_first_line(error)}); does it run? 'make up' starts it."
        )
    except psycopg.Error as error:
        return _complain(f"The database does not answer ({_first_line(error)}); does it run? 'make up' starts it.")
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="journal", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    dead = commands.add_parser("dead", help="messages that could not be processed").add_subparsers(
        required=True, metavar="COMMAND"
    )
    add = dead.add_parser("list", help="what is parked")
    add.add_argument("queue", nargs="?", metavar="QUEUE", help=f"one of {', '.join(QUEUE_NAMES)}; else all")
    add.set_defaults(run=list_dead)
    add = dead.add_parser("show", help="one message, whole")
    add.add_argument("id", metavar="ID", help="the beginning of it is enough")
    add.set_defaults(run=show_dead)
    add = dead.add_parser("retry", help="put back into the queue, as if never tried")
    which = add.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID")
    which.add_argument("--all", action="store_true", help="every parked message")
    add.add_argument("--with", dest="body", type=Path, metavar="FILE", help="with this body instead of its own")
    add.set_defaults(run=retry_dead)
    add = dead.add_parser("drop", help="throw away")
    add.add_argument("id", metavar="ID")
    add.set_defaults(run=drop_dead)
    add = commands.add_parser("look", help="the events of a stream")
    add.add_argument("stream", metavar="STREAM", help="for example call-7ef6dd2e-9b0f-5680-9a86-53136dcf68e9")
    add.set_defaults(run=look)
    add = commands.add_parser("verify", help="is every row what its stream says?")
    add.set_defaults(run=verify)
    add = commands.add_parser("resend", help="publish a company's calls and comments as they are once more")
    add.add_argument("tenant", metavar="TENANT")
    add.set_defaults(run=resend)
    importing.add_to(commands)
    return parser


def list_dead(asked: argparse.Namespace) -> int:
    with dead_letters.letters(_admin("AMQP_ADMIN_URI"), _queues(asked.queue)) as parked:
        found = [_row(letter) for letter in parked]
    if not found:
        print("Nothing is parked.")
        return 0
    titles = ("ID", "QUEUE", "PARKED AT", "TRIES", "REASON", "KEY", "ERROR")
    widths = [max(map(len, column)) for column in zip(titles, *found, strict=True)]
    for row in (titles, *found):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(letter: Letter) -> tuple[str, ...]:
    error = " ".join(letter.error.split())
    return (
        letter.id[:SHORT],
        letter.queue,
        letter.parked_at,
        letter.attempts,
        letter.reason,
        letter.key,
        error if len(error) <= 60 else f"{error[:59]}…",
    )


def show_dead(asked: argparse.Namespace) -> int:
    with _letter(asked.id) as letter:
        for title, value in (
            ("id", letter.id),
            ("queue", letter.queue),
            ("key", letter.key),
            ("parked at", letter.parked_at),
            ("attempts", letter.attempts),
            ("reason", letter.reason),
            ("error", letter.error),
            ("for", letter.correlation_id),
        ):
            if value:
                print(f"{title + ':':<11}{value}")
        print(f"\n{letter.text}")
    return 0


def retry_dead(asked: argparse.Namespace) -> int:
    body = _body(asked)
    publisher = Publisher(_admin("AMQP_ADMIN_URI"))
    number = 0
    try:
        if asked.id:
            with _letter(asked.id) as letter:
                dead_letters.put_back(publisher, letter, body)
                number = 1
        else:
            with dead_letters.letters(_admin("AMQP_ADMIN_URI")) as parked:
                for letter in parked:
                    dead_letters.put_back(publisher, letter)
                    number += 1
    finally:
        publisher.close()
    print(f"{number} put back." if number else "Nothing is parked.")
    return 0


def _body(asked: argparse.Namespace) -> bytes | None:
    if asked.body is None:
        return None
    if not asked.id:
        raise Complaint("--with replaces the body of one message: say which, by its ID.")
    try:
        body: bytes = asked.body.read_bytes()
        json.loads(body)
    except OSError as error:
        raise Complaint(f"{asked.body} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise Complaint(f"{asked.body} is not JSON ({error}); nothing was sent.") from error
    return body


def drop_dead(asked: argparse.Namespace) -> int:
    with _letter(asked.id) as letter:
        dead_letters.take_away(letter)
        print(f"Dropped {letter.id} of {letter.queue}.")
    return 0


def look(asked: argparse.Namespace) -> int:
    owner = streams.owner_of(asked.stream)
    if owner is None:
        raise Complaint(f"Unknown stream {asked.stream!r}: a stream begins with {'- or '.join(STREAM_OWNERS)}-.")
    with _database(owner) as conn:
        lines = list(streams.event_lines(conn, asked.stream))
    if not lines:
        raise Complaint(f"There is no stream {asked.stream}.")
    print("\n".join(lines))
    return 0


def verify(asked: argparse.Namespace) -> int:
    looked_at = {projection.kind.table: _verified(projection) for projection in verify_projections.projections()}
    if any(wrong for _, wrong in looked_at.values()):
        found = [f"{wrong} of {number} {what}" for what, (number, wrong) in looked_at.items() if wrong]
        return _complain(f"{', '.join(found)} do not agree with their streams.")
    print(f"{', '.join(f'{number} {what}' for what, (number, _) in looked_at.items())} agree with their streams.")
    return 0


def _verified(projection: Projection) -> tuple[int, int]:
    """How many there are, and how many differ, the first of which are printed."""
    number = wrong = 0
    with _database(projection.owner) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for stream, difference in verify_projections.differences(conn, projection.kind):
            number += 1
            wrong += bool(difference)
            if difference and wrong <= MOST_DIFFERENCES:
                print(f"{stream}: {difference}")
    return number, wrong


def resend(asked: argparse.Namespace) -> int:
    sent = dict.fromkeys(EVENT_SOURCES, 0)
    for owner in sent:
        for number in streams.resend(owner, _environment(owner, "DATABASE_URL"), asked.tenant):
            sent[owner] = number
            print(f"\r{number} {owner}", end="", file=sys.stderr)
    if not any(sent.values()):
        raise Complaint(f"{asked.tenant} has no calls.")
    print(f"\r{', '.join(f'{number} {owner}' for owner, number in sent.items())} are published again by the relays.")
    return 0


@contextmanager
def _letter(beginning: str) -> Iterator[Letter]:
    """The one parked message whose id begins so; the others go back."""
    with dead_letters.letters(_admin("AMQP_ADMIN_URI")) as parked:
        found = [letter for letter in parked if letter.id.startswith(beginning)]
        if not found:
            raise Complaint(f"No parked message has the id {beginning}; 'journal dead list' shows what there is.")
        if len(found) > 1:
            raise Complaint(f"{len(found)} parked messages have ids that begin with {beginning}: say more of it.")
        yield found[0]


def _queues(name: str | None) -> tuple[str, ...]:
    if name is None:
        return QUEUE_NAMES
    queue = name.removesuffix(".dead")
    if queue not in QUEUE_NAMES:
        raise Complaint(f"There is no queue {name}; there are {', '.join(QUEUE_NAMES)}.")
    return (queue,)


def _database(service: str) -> psycopg.Connection[Any]:
    return psycopg.connect(_environment(service, "RO_DATABASE_URL"), connect_timeout=5)


def _admin(name: str) -> str:
    return _environment("admin", name)


def _environment(who: str, name: str) -> str:
    path = Path(os.environ.get("STACK_DIR", ".stack")) / "env" / f"{who}.env"
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise Complaint(f"{path} cannot be read: start the system with 'make up', or say STACK_DIR=.") from error
    for line in lines:
        if line.startswith(f"{name}="):
            return line.partition("=")[2]
    raise Complaint(f"{path} does not say {name}: 'make up' writes it anew.")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
