"""How often an address may fail to sign in.

A right token from an address that failed too often still works: behind one shop's router stand many tills, and one with
a mistyped token must not lock out the rest. Nothing is lost by it: tokens are 256 random bits, so guessing is hopeless
and only its noise needs a bound.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

_FAILURES = 10
_WINDOW = timedelta(minutes=1)
_ADDRESSES = 4096
"""Addresses remembered: about half a megabyte. The oldest are forgotten first."""


class Throttle:
    """Counts failed sign-ins by client address, in a bounded space."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def fail(self, address: str) -> timedelta | None:
        """Count one failure. Answers how long the address has to wait, or None while it may still try."""
        now = self._monotonic()
        until, count = self._failures.pop(address, (0.0, 0))
        if now >= until:
            until, count = now + _WINDOW.total_seconds(), 0
        self._failures[address] = (until, count + 1)
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        return timedelta(seconds=until - now) if count >= _FAILURES else None
