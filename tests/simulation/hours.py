"""When things happen on a day, and what a small generator of happenings is."""

from collections.abc import Callable, Iterator
from random import Random  # noqa: TID251 -- the chance that a test hands in
from typing import TypeAlias

from tests.simulation.day import LENGTH, Happening


class Hours:
    """The hours of a day: most things happen in a few busy ones, on top of each other."""

    def __init__(self, rng: Random) -> None:
        self._busy = [rng.uniform(60, LENGTH) for _ in range(rng.choice([2, 4]))]

    def draw(self, rng: Random, least: int, most: int) -> list[float]:
        """Answer so many moments."""
        return [self._one(rng) for _ in range(rng.randint(least, most))]

    def _one(self, rng: Random) -> float:
        if rng.random() < 0.2:
            return rng.uniform(0, LENGTH)
        return min(LENGTH, rng.choice(self._busy) + rng.expovariate(0.1))


Plan: TypeAlias = Callable[[Random, Hours], Iterator[Happening]]
"""A small generator of happenings, by its own chance and at the day's hours."""
