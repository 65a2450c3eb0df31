"""Which numbers are on WhatsApp, as far as one account may know and ask.

Asking costs: WhatsApp watches who looks numbers up, and a send to a number that isn't there is worse. So every number
is asked about once before its first message, the answer is kept for a while, and no more than DAILY are asked about in
a day. What one account has heard serves the others too; questions are counted for each.
"""

from datetime import timedelta

from guvercin.gateway.clock import Clock
from guvercin.store.store import Store

REGISTERED_FOR = timedelta(days=30)
ABSENT_FOR = timedelta(days=7)
"""How long a yes and a no are believed."""

DAILY = 200
_DAY = timedelta(days=1)


class Numbers:
    """What one account knows of numbers (E.164). Every verb may raise QUEUE_FULL or STORE_UNAVAILABLE."""

    def __init__(self, store: Store, account_id: int, clock: Clock) -> None:
        self._store = store
        self._account_id = account_id
        self._clock = clock

    async def known(self, number: str) -> bool | None:
        """Answer what is known of a number; null: nothing, or it was too long ago."""
        found = await self._store.last_check(number)
        if found is None:
            return None
        is_fresh = self._clock.now() - found.at < (REGISTERED_FOR if found.is_registered else ABSENT_FOR)
        return found.is_registered if is_fresh else None

    async def ask(self, number: str) -> timedelta | None:
        """Take leave to ask about a number, which counts; answers how long to wait where no more may be asked today."""
        now = self._clock.now()
        at = await self._store.ask_number(self._account_id, number, now=now, most=DAILY, within=_DAY)
        return None if at is None else max(at - now, timedelta(0))

    async def learn(self, number: str, *, is_registered: bool) -> None:
        """Keep an answer."""
        await self._store.learn_number(self._account_id, number, is_registered=is_registered, now=self._clock.now())
