"""The journal as a list in memory: slow, plain, and what the queries are held against."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from services.gateway.domain.filters import Filters, Has, SearchText
from services.gateway.domain.naming import fold
from services.gateway.domain.people import Line
from services.gateway.domain.scope import Scope
from shared.contracts.calls.events import CallState
from shared.contracts.values import Status


class Directory(NamedTuple):
    """The names of employees by their lines, and of contacts by their numbers; comments and recordings."""

    employees: Sequence[tuple[Line, str]]
    contacts: Mapping[str, str]
    comments: Mapping[UUID, str] = MappingProxyType({})
    recordings: frozenset[UUID] = frozenset()


def own(call: CallState) -> set[str | None]:
    return {call.caller, *call.rung, *call.answered_by}


def everybody(call: CallState) -> set[str]:
    return {address for address in own(call) | {call.callee, *(leg.to for leg in call.forwarded)} if address}


def held(line: Line, at: datetime) -> bool:
    return (line.held_from is None or line.held_from <= at) and (line.held_until is None or at < line.held_until)


def had_one_of(call: CallState, lines: Collection[Line] | None) -> bool:
    assert call.placed_at
    return lines is None or any(line.address in own(call) and held(line, call.placed_at) for line in lines)


def names_of(call: CallState, directory: Directory) -> Iterable[str]:
    assert call.placed_at
    for address in everybody(call):
        yield from (
            name for line, name in directory.employees if line.address == address and held(line, call.placed_at)
        )
        yield from (name for number, name in directory.contacts.items() if number == address)


def matches(call: CallState, text: SearchText | None, directory: Directory) -> bool:
    if text is None:
        return True
    said = [*names_of(call, directory), directory.comments.get(call.call_id, "")]
    return any(text.name in fold(words) for words in said) or any(
        text.address in address.lower() for address in everybody(call)
    )


def fits(call: CallState, filters: Filters, directory: Directory) -> bool:
    assert call.placed_at
    return (
        (filters.placed_from is None or call.placed_at >= filters.placed_from)
        and (filters.placed_to is None or call.placed_at < filters.placed_to)
        and (not filters.directions or call.direction in filters.directions)
        and (not filters.statuses or call.status in filters.statuses)
        and (not filters.phases or call.phase in filters.phases)
        and (filters.party is None or filters.party in everybody(call))
        and (filters.min_talk is None or (call.talk_time is not None and call.talk_time >= filters.min_talk))
        and (filters.max_talk is None or (call.talk_time is not None and call.talk_time <= filters.max_talk))
        and not filters.has - {Has.CALLBACK, Has.COMMENT, Has.RECORDING}
        and (Has.CALLBACK not in filters.has or call.status is Status.RETURNED)
        and (Has.COMMENT not in filters.has or call.call_id in directory.comments)
        and (Has.RECORDING not in filters.has or call.call_id in directory.recordings)
    )


def page(calls: Iterable[CallState], scope: Scope, filters: Filters, directory: Directory) -> list[UUID]:
    """The ids of all calls that may and should be shown, newest first."""
    shown = [
        call
        for call in calls
        if had_one_of(call, scope.lines)
        and had_one_of(call, filters.lines)
        and fits(call, filters, directory)
        and matches(call, filters.text, directory)
    ]
    return [call.call_id for call in sorted(shown, key=lambda call: (call.placed_at, call.call_id), reverse=True)]
