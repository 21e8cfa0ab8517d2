"""One measured figure with its limit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    label: str
    measured: str
    limit: str = ""
    holds: bool = True

    def __str__(self) -> str:
        mark = "" if not self.limit else ("  ok" if self.holds else "  MISSED")
        return f"{self.label}: {self.measured}" + (f"  (limit: {self.limit}){mark}" if self.limit else "")


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
