"""What the tests of the translator share: the captures, and the rows that reports come to in calls' own domain."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.calls.domain import call as domain
from shared.contracts.calls import reports as contract
from shared.contracts.calls.events import (
    CallAnswered,
    CallConnecting,
    CallEnded,
    CallForwarded,
    CallPlaced,
    CallRecorded,
    CallState,
    PartyOffline,
    PartyRang,
    Reported,
    call_id,
)
from shared.feeds.asterisk.stream import AmiStream, Event
from shared.feeds.asterisk.translator import Report, Translator, translate

CAPTURES = Path(__file__).parents[2] / "data" / "asterisk" / "captures"
TENANT = "acme"
TRUNKS = ("erin", "frank", "operator1")
LOGIN = "Response: Success\nMessage: Authentication accepted\n"

_STAMP = re.compile(rb"Timestamp: [^\r\n]*\r\n")
_FACTS: dict[str, type[Reported]] = {
    "placed": CallPlaced,
    "connecting": CallConnecting,
    "ringing": PartyRang,
    "offline": PartyOffline,
    "answered": CallAnswered,
    "forwarded": CallForwarded,
    "recorded": CallRecorded,
    "ended": CallEnded,
}


def capture(name: str, folder: Path = CAPTURES) -> list[bytes]:
    """The connections of a capture, in order."""
    return [file.read_bytes() for file in (folder / f"{name}.txt", folder / f"{name}.part2.txt") if file.exists()]


def without_stamps(connections: Iterable[bytes]) -> list[bytes]:
    return [_STAMP.sub(b"", connection) for connection in connections]


def events(*blocks: str) -> Iterator[Event]:
    """Blocks as a person writes them: lines without CR, indented as it suits."""
    text = "\r\n\r\n".join("\r\n".join(map(str.strip, block.strip().splitlines())) for block in blocks)
    return iter(AmiStream().feed(f"{text}\r\n\r\n".encode()))


def told(connections: Iterable[bytes], trunks: Iterable[str] = TRUNKS) -> list[Report]:
    return list(translate([[connection] for connection in connections], Translator(TENANT, frozenset(trunks))))


def heard(happenings: Iterable[Event], trunks: Iterable[str] = TRUNKS) -> list[Report]:
    translator = Translator(TENANT, frozenset(trunks))
    return [report for event in happenings for report in translator.feed(event)] + translator.finish()


def rows(reports: Iterable[Report]) -> list[CallState]:
    """One row per call, in the order of the calls' first reports. Every report must be one the gateway takes."""
    calls: dict[str, domain.Call] = {}
    for report in contract.load(list(reports)):
        fact = _FACTS[report.type](
            call_id=call_id(report.tenant, report.call), at=report.at, report_id=report.report_id, **report.data
        )
        calls[report.call] = domain.evolve(calls.get(report.call, domain.INITIAL), fact)
    return [domain.state(call_id(TENANT, key), call) for key, call in calls.items()]


def row(reports: Iterable[Report]) -> CallState:
    [only] = rows(reports)
    return only


def shown(call: CallState) -> list[str]:
    """The columns of the captures' tables."""
    return [
        str(call.direction),
        f"{call.caller} -> {call.callee}",
        ", ".join(filter(None, [call.status, call.reason])),
        f"rung {', '.join(sorted(call.rung)) or '-'}",
        f"by {', '.join(call.answered_by) or '-'}",
        f"ended by {call.ended_by}",
        "-" if call.talk_time is None else f"{call.talk_time.total_seconds():.1f} s",
        "recorded" if call.recorded else "",
    ]
