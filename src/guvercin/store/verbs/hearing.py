"""What networks tell: receipts, what people write, and what nobody understood."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.log import Unclear
from guvercin.core.optout import Replies
from guvercin.core.outcome import Inbound, Receipt, Told


class Hearing(Protocol):
    """What networks tell is written, all of a call or nothing."""

    async def receive(self, account_id: int, receipts: Sequence[Receipt], *, now: datetime) -> None:
        """Apply receipts, in whatever order and however often; early ones wait for the answer of their send."""

    async def receive_inbound(
        self, account_id: int, inbound: Inbound, *, now: datetime, replies: Replies | None = None
    ) -> None:
        """Record that somebody wrote to us, and when; in the same change, refuse or allow what they ask for.

        `replies`: what is answered to who refuses and to who comes back, once each; null: nothing.
        """

    async def hear(
        self, account_id: int, told: Sequence[Told], *, now: datetime, replies: Replies | None = None
    ) -> None:
        """Write everything that a network told in one call: all of it or nothing. As `receive`, `receive_inbound`."""

    async def unclear(self, account_id: int, *, limit: int) -> Sequence[Unclear]:
        """Answer what was told to an account and not understood, the newest first."""
