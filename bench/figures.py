"""What a benchmark answers: named figures, each beside what we want of it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure as it is printed. `wanted` is empty where nothing is promised."""

    name: str
    value: str
    wanted: str = ""


def micro(seconds: float) -> str:
    """Write seconds as microseconds."""
    return f"{seconds * 1e6:,.0f} µs"


def milli(seconds: float) -> str:
    """Write seconds as milliseconds."""
    return f"{seconds * 1e3:,.1f} ms"


def mega(size: float) -> str:
    """Write bytes as megabytes."""
    return f"{size / 1e6:,.1f} MB"


def share(values: Sequence[float], part: float) -> float:
    """Answer the value below which `part` (0 to 1) of the values lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def middle(values: Sequence[float]) -> float:
    """Answer the median."""
    return share(values, 0.5)


def spread(values: Sequence[float]) -> str:
    """Write the least and the most of several rounds, in microseconds."""
    return f"{min(values) * 1e6:,.0f}–{max(values) * 1e6:,.0f}"


def show(figures: Sequence[Figure]) -> None:
    """Print figures as a table."""
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        wanted = f"   (wanted: {figure.wanted})" if figure.wanted else ""
        print(f"  {figure.name.ljust(width)}  {figure.value}{wanted}", flush=True)
