"""Administer the journal: dead letters, event streams, verification and imports.

journal dead list calls.reports          list dead letters with their reasons
journal dead show 3f2a                   show one of them in full
journal dead retry 3f2a --with fixed.json
journal look call-7ef6dd2e-9b0f-5680-9a86-53136dcf68e9
journal verify                           compare every row with its stream
journal resend oselia                    publish the current state again, to restore lost rows
journal import asterisk-csv Master.csv   import old records; freeswitch-json DIR, reports FILE.ndjson
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
from tools.dead_letters import QUEUE_NAMES, DeadLetter
from tools.importer import command as import_command
from tools.verify_projections import Projection

ID_PREFIX_LENGTH = 8
MAX_DIFFERENCES_PRINTED = 20


class CommandError(Exception):
    """The command failed; the text says why in one sentence."""


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except CommandError as error:
        return _fail(str(error))
    except ServiceError as error:
        return _fail(f"{error} Nothing is lost: unconfirmed messages are still dead letters.")
    except BROKER_ERRORS as error:
        if isinstance(error, BrokenPipeError):
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            return 1
        return _fail(f"The message broker does not answer ({_first_line(error)}); 'make up' starts it.")
    except psycopg.Error as error:
        return _fail(f"The database does not answer ({_first_line(error)}); 'make up' starts it.")
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="journal", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    dead = commands.add_parser("dead", help="messages that could not be processed").add_subparsers(
        required=True, metavar="COMMAND"
    )
    add = dead.add_parser("list", help="list dead letters")
    add.add_argument("queue", nargs="?", metavar="QUEUE", help=f"one of {', '.join(QUEUE_NAMES)}; else all")
    add.set_defaults(run=list_dead)
    add = dead.add_parser("show", help="show one message in full")
    add.add_argument("id", metavar="ID", help="a unique prefix is enough")
    add.set_defaults(run=show_dead)
    add = dead.add_parser("retry", help="put back into its queue with attempts reset")
    which = add.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID")
    which.add_argument("--all", action="store_true", help="every dead letter")
    add.add_argument("--with", dest="body", type=Path, metavar="FILE", help="replace the body")
    add.set_defaults(run=retry_dead)
    add = dead.add_parser("drop", help="discard")
    add.add_argument("id", metavar="ID")
    add.set_defaults(run=drop_dead)
    add = commands.add_parser("look", help="the events of a stream")
    add.add_argument("stream", metavar="STREAM", help="for example call-7ef6dd2e-9b0f-5680-9a86-53136dcf68e9")
    add.set_defaults(run=look)
    add = commands.add_parser("verify", help="compare every row with its stream")
    add.set_defaults(run=verify)
    add = commands.add_parser("resend", help="publish the current state of a company's records again")
    add.add_argument("tenant", metavar="TENANT")
    add.set_defaults(run=resend)
    import_command.add_to(commands)
    return parser


def list_dead(arguments: argparse.Namespace) -> int:
    with dead_letters.dead_letters_in(_admin("AMQP_ADMIN_URI"), _queues(arguments.queue)) as letters:
        rows = [_row(letter) for letter in letters]
    if not rows:
        print("There are no dead letters.")
        return 0
    titles = ("ID", "QUEUE", "PARKED AT", "TRIES", "REASON", "KEY", "ERROR")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(letter: DeadLetter) -> tuple[str, ...]:
    error = " ".join(letter.error.split())
    return (
        letter.id[:ID_PREFIX_LENGTH],
        letter.queue,
        letter.parked_at,
        letter.attempts,
        letter.reason,
        letter.key,
        error if len(error) <= 60 else f"{error[:59]}…",
    )


def show_dead(arguments: argparse.Namespace) -> int:
    with _letter(arguments.id) as letter:
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


def retry_dead(arguments: argparse.Namespace) -> int:
    body = _body(arguments)
    publisher = Publisher(_admin("AMQP_ADMIN_URI"))
    number = 0
    try:
        if arguments.id:
            with _letter(arguments.id) as letter:
                dead_letters.requeue(publisher, letter, body)
                number = 1
        else:
            with dead_letters.dead_letters_in(_admin("AMQP_ADMIN_URI")) as letters:
                for letter in letters:
                    dead_letters.requeue(publisher, letter)
                    number += 1
    finally:
        publisher.close()
    print(f"{number} put back." if number else "There are no dead letters.")
    return 0


def _body(arguments: argparse.Namespace) -> bytes | None:
    if arguments.body is None:
        return None
    if not arguments.id:
        raise CommandError("--with replaces the body of one message: give its ID.")
    try:
        body: bytes = arguments.body.read_bytes()
        json.loads(body)
    except OSError as error:
        raise CommandError(f"{arguments.body} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{arguments.body} is not JSON ({error}); nothing was sent.") from error
    return body


def drop_dead(arguments: argparse.Namespace) -> int:
    with _letter(arguments.id) as letter:
        dead_letters.discard(letter)
        print(f"Dropped {letter.id} of {letter.queue}.")
    return 0


def look(arguments: argparse.Namespace) -> int:
    owner = streams.owner_of(arguments.stream)
    if owner is None:
        raise CommandError(f"Unknown stream {arguments.stream!r}: a stream begins with {'- or '.join(STREAM_OWNERS)}-.")
    with _database(owner) as conn:
        lines = list(streams.event_lines(conn, arguments.stream))
    if not lines:
        raise CommandError(f"There is no stream {arguments.stream}.")
    print("\n".join(lines))
    return 0


def verify(arguments: argparse.Namespace) -> int:
    counts = {projection.kind.table: _verify_rows(projection) for projection in verify_projections.projections()}
    if any(wrong for _, wrong in counts.values()):
        found = [f"{wrong} of {number} {what}" for what, (number, wrong) in counts.items() if wrong]
        return _fail(f"{', '.join(found)} do not agree with their streams.")
    print(f"{', '.join(f'{number} {what}' for what, (number, _) in counts.items())} agree with their streams.")
    return 0


def _verify_rows(projection: Projection) -> tuple[int, int]:
    """Return (rows, rows that differ); print the first differences."""
    number = wrong = 0
    with _database(projection.owner) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for stream, difference in verify_projections.differences(conn, projection.kind):
            number += 1
            wrong += bool(difference)
            if difference and wrong <= MAX_DIFFERENCES_PRINTED:
                print(f"{stream}: {difference}")
    return number, wrong


def resend(arguments: argparse.Namespace) -> int:
    sent = dict.fromkeys(EVENT_SOURCES, 0)
    for owner in sent:
        for number in streams.resend(owner, _environment(owner, "DATABASE_URL"), arguments.tenant):
            sent[owner] = number
            print(f"\r{number} {owner}", end="", file=sys.stderr)
    if not any(sent.values()):
        raise CommandError(f"{arguments.tenant} has no calls.")
    print(f"\r{', '.join(f'{number} {owner}' for owner, number in sent.items())} are published again by the relays.")
    return 0


@contextmanager
def _letter(beginning: str) -> Iterator[DeadLetter]:
    """The only dead letter whose id starts with `beginning`."""
    with dead_letters.dead_letters_in(_admin("AMQP_ADMIN_URI")) as letters:
        found = [letter for letter in letters if letter.id.startswith(beginning)]
        if not found:
            raise CommandError(f"No dead letter has the id {beginning}; 'journal dead list' lists them.")
        if len(found) > 1:
            raise CommandError(f"{len(found)} dead letters have ids that start with {beginning}; give more of the id.")
        yield found[0]


def _queues(name: str | None) -> tuple[str, ...]:
    if name is None:
        return QUEUE_NAMES
    queue = name.removesuffix(".dead")
    if queue not in QUEUE_NAMES:
        raise CommandError(f"No queue is named {name}; the queues are {', '.join(QUEUE_NAMES)}.")
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
        raise CommandError(f"{path} cannot be read: start the system with 'make up', or set STACK_DIR.") from error
    for line in lines:
        if line.startswith(f"{name}="):
            return line.partition("=")[2]
    raise CommandError(f"{path} does not define {name}; 'make up' writes it again.")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
