"""One measured figure and its goal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A value, its unit, and what it should be at least or at most (None: only shown)."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def good(self) -> bool:
        """Whether the goal is reached."""
        if self.at_least is not None and self.value < self.at_least:
            return False
        return self.at_most is None or self.value <= self.at_most

    @property
    def text(self) -> str:
        """Return the value with its unit: three digits, or all before the point."""
        digits = f"{self.value:.3g}"
        return f"{self.value:,.0f}{self.unit}" if "e" in digits else f"{digits}{self.unit}"

    @property
    def goal(self) -> str:
        """Return the goal in words."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}{self.unit}"
        return f"≤ {self.at_most:g}{self.unit}" if self.at_most is not None else ""

    def as_dict(self) -> dict[str, Any]:
        """Return a row for bench.json."""
        return {**asdict(self), "reached": self.good}
