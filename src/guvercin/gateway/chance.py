"""The only place that takes the system's randomness, a page at a time."""

import os
from random import SystemRandom  # noqa: TID251 -- here it is made, and handed down as an argument

_PAGE = 4_096


class SystemChance(SystemRandom):
    """The system's randomness, as good as SystemRandom's: only fetched for many draws at once.

    Each call of the system lets go of the interpreter's lock and waits to have it back: on a busy server that took
    longer than all else that a draw is for. Nothing is given out twice. It doesn't survive a fork.
    """

    def __init__(self) -> None:
        super().__init__()
        self._page = b""
        self._taken = 0

    def randbytes(self, n: int) -> bytes:
        """Answer n random bytes."""
        if self._taken + n > len(self._page):
            self._page, self._taken = os.urandom(max(_PAGE, n)), 0
        self._taken += n
        return self._page[self._taken - n : self._taken]

    def random(self) -> float:
        """Answer a number in [0, 1), of 53 random bits."""
        return (int.from_bytes(self.randbytes(7), "big") >> 3) * 2.0**-53

    def getrandbits(self, k: int, /) -> int:
        """Answer a number of k random bits. ValueError below 0."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        size = (k + 7) // 8
        return int.from_bytes(self.randbytes(size), "big") >> (size * 8 - k)
