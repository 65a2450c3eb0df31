"""Whether what goes out still reaches anybody: a line can look well and be deaf, and only the silence tells.

WhatsApp acknowledges messages that it never delivers, and an engine can lose its hearing while its sends go on. One
person who doesn't answer means nothing; many, over a time in which some phone would have been on, mean that something
is wrong with the line.
"""

from collections import deque
from datetime import datetime, timedelta

LEAST = 10
PATIENCE = timedelta(minutes=30)
"""So many acknowledged messages, the first of them so long ago, and not one delivery since: the line is sick."""


class Deliveries:
    """What went out since the last sign that something arrived. Begins anew with the process."""

    def __init__(self) -> None:
        self._sent: deque[datetime] = deque(maxlen=LEAST)
        self._first: datetime | None = None

    def sent(self, at: datetime) -> None:
        """Hear that WhatsApp acknowledged a message."""
        self._first = self._first or at
        self._sent.append(at)

    def delivered(self) -> None:
        """Hear that somebody's phone has a message, whichever it is."""
        self._first = None
        self._sent.clear()

    def are_missing(self, now: datetime) -> bool:
        """Say whether there should have been a delivery by now."""
        return self._first is not None and len(self._sent) == LEAST and now - self._first >= PATIENCE
