"""What singles and bulk have in common on their way into the queue."""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from guvercin.core.account import Account
from guvercin.core.category import Category
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, Draft
from guvercin.core.token import Token
from guvercin.gateway.clock import Clock
from guvercin.gateway.manners import mannered
from guvercin.gateway.requests import IdempotencyKey
from guvercin.gateway.sessions import Sessions
from guvercin.store.store import Store
from guvercin.store.verbs.accepting import Acceptance, KeyRow, Quota

TURNED_AWAY_AFTER = 1.0
"""Seconds until a newcomer hears that the queue is full."""

_MAX_TEXT = 4_096
"""What a message may hold while its account's transport is not there yet to say so."""


class Admission:
    """The door of singles and bulk: whether it is open, what was there before, and what a token may still ask for."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: Sessions,
        hours: Mapping[Courtesy, Hours],
        clock: Clock,
        timezone: ZoneInfo,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._clock = clock
        self._timezone = timezone
        self._hours = hours
        self.is_closing = False

    def check_open(self) -> None:
        """Raise CLOSING when nothing more is accepted."""
        if self.is_closing:
            raise GuvercinError(Code.CLOSING, retry_after=timedelta(seconds=10))

    async def patiently(self, asking: Awaitable[Acceptance]) -> Acceptance:
        """Ask the store to take something. Whoever comes to a full queue hears so with some delay.

        A client that comes again at once costs as much as one that is served: sent away quickly, a few hundred of them
        would keep the machine from the work that they wait for.
        """
        try:
            return await asking
        except GuvercinError as refusal:
            if refusal.code is Code.QUEUE_FULL:
                await self._clock.sleep_until(self._clock.monotonic() + TURNED_AWAY_AFTER)
            raise

    async def before(self, token: Token, key: IdempotencyKey | None) -> Acceptance | None:
        """Answer what a request was accepted as that would be refused now: what was accepted under a key stays so.

        Its time may be over since, its account or its file gone; only a request that is refused pays for the question.
        """
        row = key_row(key)
        return None if row is None else await self._store.accepted_before(token.id, row)

    def quota(self, token: Token, now: datetime) -> Quota | None:
        """Answer how many messages a token may ask for today; null: as many as it likes."""
        if token.rules.per_day is None:
            return None
        local = now.astimezone(self._timezone)
        tomorrow = local.date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time.min, self._timezone)
        return Quota(limit=token.rules.per_day, day=local.date().isoformat(), renews_in=midnight.astimezone(UTC) - now)

    def max_text(self, account: Account) -> int:
        """Answer how long a text may be over an account."""
        transport = self._sessions.transport(account.id)
        return _MAX_TEXT if transport is None else transport.features.max_text

    def mannered(
        self, drafts: Sequence[Draft], account: Account, category: Category, lifetime: timedelta | None, now: datetime
    ) -> Sequence[Draft]:
        """Answer drafts as they keep the manners of their account and category."""
        return mannered(drafts, account, category, self._hours, lifetime=lifetime, now=now)


def key_row(key: IdempotencyKey | None) -> KeyRow | None:
    """Answer a key as the store keeps it."""
    return None if key is None else KeyRow(method=key.method, path=key.path, key=key.key, body_hash=key.body_hash)
