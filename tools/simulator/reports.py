"""The reports of a call, in the order in which they happen."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Report:
    """One report in the format of `POST /reports`."""

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

    def compressed(self, start: datetime, factor: float) -> "Report":
        """The same report with its distance from `start` multiplied by `factor`."""
        data = self.data
        if "started_at" in data:
            began = datetime.fromisoformat(data["started_at"])
            data = data | {"started_at": instant(start + (began - start) * factor)}
        return replace(self, at=start + (self.at - start) * factor, data=data)


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class CallScript:
    """Builds the reports of one call; `after` advances its clock."""

    def __init__(self, tenant: str, key: str, at: datetime, rng: Random) -> None:
        self.tenant = tenant
        self.key = key
        self.at = at
        self.rng = rng
        self.reports: list[Report] = []

    def after(self, shortest: float, longest: float) -> Self:
        self.at += timedelta(microseconds=round(self.rng.uniform(shortest, longest) * 1_000_000))
        return self

    def placed(self, direction: str, caller: str, callee: str, caller_name: str = "", line: str = "") -> Self:
        optional = {"caller_name": caller_name, "line": line}
        optional_data = {name: value for name, value in optional.items() if value}
        return self._report("placed", direction=direction, caller=caller, callee=callee, **optional_data)

    def connecting(self, group: str) -> Self:
        return self._report("connecting", group=group)

    def ringing(self, party: str) -> Self:
        return self._report("ringing", party=party)

    def offline(self, party: str) -> Self:
        return self._report("offline", party=party)

    def answered(self, party: str) -> Self:
        return self._report("answered", party=party)

    def forwarded(self, to: str, line: str) -> Self:
        return self._report("forwarded", to=to, line=line)

    def refused(self) -> Self:
        return self._report("refused", reason="no_channels")

    def ended(self, by: str, cause: int | None, sip: int | None = None) -> Self:
        return self._report("ended", by=by, cause=cause, sip=sip)

    def recorded(self, started_at: datetime) -> Self:
        file = f"{started_at:%Y/%m/%d}/{self.key}.wav"
        return self._report("recorded", file=file, format="wav", started_at=instant(started_at))

    def _report(self, kind: str, **data: Any) -> Self:
        report_id = f"{self.key}.{len(self.reports) + 1}"
        self.reports.append(Report(report_id, self.tenant, self.key, kind, self.at, data))
        return self
