"""One measured figure and the bar it is held to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    what: str
    measured: str
    bar: str = ""
    holds: bool = True

    def __str__(self) -> str:
        mark = "" if not self.bar else ("  ok" if self.holds else "  MISSED")
        return f"{self.what}: {self.measured}" + (f"  (bar: {self.bar}){mark}" if self.bar else "")


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
