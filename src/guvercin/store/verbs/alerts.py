"""What is the matter, what was said of it, and how far each channel has carried it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.alert import Alert, Judgement


class Alerts(Protocol):
    """Troubles, and how far each channel has carried them."""

    async def alerts(self) -> Sequence[Alert]:
        """Answer what is kept of troubles."""

    async def stopped_batches(self) -> Sequence[tuple[int, str]]:
        """Answer the batches that have stopped by themselves, and why."""

    async def keep_alerts(self, judgement: Judgement, *, now: datetime) -> None:
        """Keep what was judged, and write the events that say it, in one change."""

    async def alert_place(self, channel: str) -> int:
        """Answer the last event that a channel has carried; a new one begins with what happens from now on."""

    async def alert_carried(self, channel: str, upto: int) -> None:
        """Write that a channel has carried everything up to an event."""
