"""What keeps accepted messages from leaving: a line that is down or rests, and what a row waits for."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from guvercin.core.account import Account, LineState
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import Standing
from guvercin.core.message import Status, WaitsFor
from guvercin.core.restriction import RestrictionKind
from guvercin.gateway.accounts import Accounts
from guvercin.gateway.clock import Clock
from guvercin.store.store import Store

UNTIL_A_HUMAN_ACTS = frozenset({LineState.STOPPED, LineState.PAIRING, LineState.LOGGED_OUT, LineState.BLOCKED})
"""Lines over which nothing leaves until a human acts."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a message from leaving, and until when; null: until a human acts."""

    why: WaitsFor | Code
    until: datetime | None = None


def closed_line(account: Account, now: datetime) -> Obstacle | None:
    """Answer why an account's line lets nothing out, unless it is about to dial or to be back by itself."""
    line = account.line
    if line.state in UNTIL_A_HUMAN_ACTS:
        return Obstacle(line.code or Code.LINE_DOWN)
    if line.state is LineState.BANNED and (line.until is None or line.until > now):
        return Obstacle(line.code or Code.TEMPORARY_BAN, line.until)
    return None


class Obstacles:
    """What stands in the way of messages that were accepted."""

    def __init__(self, *, store: Store, accounts: Accounts, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock

    async def of(self, standing: Standing) -> Obstacle | None:
        """Answer what keeps a queued message longest from leaving, where that is more than its place in line."""
        if standing.status is not Status.QUEUED or standing.waits_for is WaitsFor.TIME:
            return None
        with suppress(GuvercinError):  # trouble with reading is no reason to say nothing of an accepted message
            obstacles = [await self.closed(standing.account_id)]
            if standing.waits_for is not None:
                row = await self._store.message(standing.id)
                if row is not None and row.waits_for is not None:
                    obstacles.append(Obstacle(row.waits_for, row.waits_until))
            return max((one for one in obstacles if one), key=lambda one: one.until or _NEVER, default=None)
        return None

    async def stands_still(self, account_id: int, end: datetime) -> bool:
        """Say whether nothing leaves over an account's line before `end`, unless a human acts."""
        with suppress(GuvercinError):
            obstacle = await self.closed(account_id)
            return obstacle is not None and (obstacle.until is None or obstacle.until > end)
        return False

    async def closed(self, account_id: int) -> Obstacle | None:
        """Answer why nothing at all leaves over an account's line: it is down, or it rests because it was too fast."""
        account, now = await self._accounts.any(account_id), self._clock.now()
        if account is None:
            return None
        closed = closed_line(account, now)
        if closed is None and account.pace.rules is not None:
            for one in await self._store.restrictions(account_id):
                if one.kind is RestrictionKind.BACKS_OFF and one.until is not None and one.until > now:
                    return Obstacle(one.code, one.until)
        return closed
