"""What an exchange says about a call, in the order of the call's life."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Report:
    """One report, as the journal takes it."""

    report_id: str
    tenant: str
    call: str
    type: str
    at: datetime
    data: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "report_id": self.report_id,
            "tenant": self.tenant,
            "call": self.call,
            "type": self.type,
            "at": instant(self.at),
            "data": self.data,
        }

    def squeezed(self, start: datetime, factor: float) -> "Report":
        """The same report of a call that took `factor` of its time."""
        data = self.data
        if "started_at" in data:
            began = datetime.fromisoformat(data["started_at"])
            data = data | {"started_at": instant(start + (began - start) * factor)}
        return replace(self, at=start + (self.at - start) * factor, data=data)


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Story:
    """One call being told: time passes, and the exchange reports."""

    def __init__(self, tenant: str, key: str, at: datetime, dice: Random) -> None:
        self.tenant = tenant
        self.key = key
        self.at = at
        self.dice = dice
        self.reports: list[Report] = []

    def after(self, shortest: float, longest: float) -> Self:
        self.at += timedelta(microseconds=round(self.dice.uniform(shortest, longest) * 1_000_000))
        return self

    def placed(self, direction: str, caller: str, callee: str, caller_name: str = "", line: str = "") -> Self:
        optional = {"caller_name": caller_name, "line": line}
        said = {name: value for name, value in optional.items() if value}
        return self._say("placed", direction=direction, caller=caller, callee=callee, **said)

    def connecting(self, group: str) -> Self:
        return self._say("connecting", group=group)

    def ringing(self, party: str) -> Self:
        return self._say("ringing", party=party)

    def offline(self, party: str) -> Self:
        return self._say("offline", party=party)

    def answered(self, party: str) -> Self:
        return self._say("answered", party=party)

    def forwarded(self, to: str, line: str) -> Self:
        return self._say("forwarded", to=to, line=line)

    def refused(self) -> Self:
        return self._say("refused", reason="no_channels")

    def ended(self, by: str, cause: int | None, sip: int | None = None) -> Self:
        return self._say("ended", by=by, cause=cause, sip=sip)

    def recorded(self, started_at: datetime) -> Self:
        file = f"{started_at:%Y/%m/%d}/{self.key}.wav"
        return self._say("recorded", file=file, format="wav", started_at=instant(started_at))

    def _say(self, kind: str, **data: Any) -> Self:
        report_id = f"{self.key}.{len(self.reports) + 1}"
        self.reports.append(Report(report_id, self.tenant, self.key, kind, self.at, data))
        return self
