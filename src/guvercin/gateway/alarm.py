"""The alarm: looks after what the owner has to know soon, says it, and carries it to the owner's mail and phone.

Laws
1. What is said is an event first: webhooks, mail, ntfy and the panel hear the same one, and a restart neither repeats
   nor forgets it.
2. A channel that fails keeps its place and tries again; meanwhile what gathers is sent in one message.
3. Looking disturbs nobody: nothing is written while nothing changes.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import Protocol

from guvercin.core.account import Account, Kind, LineState
from guvercin.core.alert import BACKUP_MARK, AlertKind, Trouble, judge
from guvercin.core.errors import Code
from guvercin.core.hook import CloseReason, HookEvent, Notice
from guvercin.core.retry import retry_at
from guvercin.gateway.clock import Clock
from guvercin.store.store import Store

POLL = timedelta(seconds=5)

ALERTS = frozenset({HookEvent.ALERT_RAISED, HookEvent.ALERT_CLEARED})

ROOM = 500_000_000
"""Bytes on the data folder's disk below which it is nearly full."""

_MOST_AT_ONCE = 50
_CHANNEL_LIMIT = 60.0
_SHORT = frozenset({LineState.WAITING, LineState.CONNECTING})
_LASTING = frozenset({LineState.BANNED, LineState.LOGGED_OUT, LineState.BLOCKED, LineState.STOPPED})

_log = logging.getLogger(__name__)


class Channel(Protocol):
    """A way to the owner."""

    @property
    def name(self) -> str:
        """Answer the word that its place is kept under."""

    async def carry(self, notices: Sequence[Notice]) -> None:
        """Take what was said to the owner, in one message; OSError or ValueError: it didn't get there."""

    async def close(self) -> None:
        """Drop what is open."""


class Alarm:
    """The loop that watches."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Sequence[Channel],
        folder: Path,
        backup_days: int,
        clock: Clock,
        rng: Random,
        free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        """Take the owner's channels and the data folder. `backup_days` 0: nobody asks for backups."""
        self._store = store
        self._channels = channels
        self._folder = folder
        self._backup_days = backup_days
        self._clock = clock
        self._rng = rng
        self._free = free
        self._fails: dict[str, int] = {}
        self._again_at: dict[str, float] = {}

    async def step(self, now: datetime) -> datetime:
        """Look, say what is to be said, and carry what was said."""
        known = await self._store.alerts()
        judgement = judge(known, await self._look(now), now)
        if tuple(judgement.alerts) != tuple(known) or judgement.well:
            await self._store.keep_alerts(judgement, now=now)
            for trouble in judgement.tell:
                _log.warning("alert", extra={"kind": trouble.kind.value, "key": trouble.key})
        await asyncio.gather(*(self._serve(channel) for channel in self._channels))
        return now + POLL

    async def close(self) -> None:
        """Drop what the channels hold open."""
        for channel in self._channels:
            await channel.close()

    # -- looking

    async def _look(self, now: datetime) -> Sequence[Trouble]:
        accounts = [account for account in await self._store.accounts() if account.removed_at is None]
        found = [_line(account) for account in accounts if _is_down(account, now)]
        for hook in await self._store.hooks():
            if hook.closed_for is not None and hook.closed_for is not CloseReason.OWNER:
                about = {"webhook": str(hook.id), "adres": hook.url, "neden": hook.closed_for.value}
                found.append(Trouble(key=f"webhook:{hook.id}", kind=AlertKind.HOOK, about=about))
        for batch_id, reason in await self._store.stopped_batches():
            about = {"toplu_id": str(batch_id), "neden": reason}
            found.append(Trouble(key=f"toplu:{batch_id}", kind=AlertKind.BATCH, about=about))
        free = self._free(self._folder)
        if free < ROOM:
            about = {"bos_mb": str(free // 100_000_000 * 100)}
            found.append(Trouble(key="disk", kind=AlertKind.DISK, about=about))
        backup = self._backup(accounts, now)
        return found if backup is None else [*found, backup]

    def _backup(self, accounts: Sequence[Account], now: datetime) -> Trouble | None:
        """Answer that the last backup is too old; without a real account there is nothing to lose."""
        real = [account.created_at for account in accounts if account.kind is not Kind.SANDBOX]
        if not self._backup_days or not real:
            return None
        try:
            made_at = datetime.fromtimestamp((self._folder / BACKUP_MARK).stat().st_mtime, now.tzinfo)
        except OSError:
            made_at = min(real)
        if now - made_at < timedelta(days=self._backup_days):
            return None
        return Trouble(key="yedek", kind=AlertKind.BACKUP, about={"gun": str(self._backup_days)})

    # -- carrying

    async def _serve(self, channel: Channel) -> None:
        """Take what a channel has not carried yet, unless it failed a moment ago."""
        if self._clock.monotonic() < self._again_at.get(channel.name, 0.0):
            return
        place = await self._store.alert_place(channel.name)
        notices, upto = await self._store.feed(place, ALERTS, None, limit=_MOST_AT_ONCE)
        if not notices:
            return
        try:
            async with asyncio.timeout(_CHANNEL_LIMIT):
                await channel.carry(notices)
        except (OSError, ValueError) as trouble:
            fails = self._fails[channel.name] = self._fails.get(channel.name, 0) + 1
            now = self._clock.now()
            again = retry_at(min(fails, 4), now, self._rng) or now
            self._again_at[channel.name] = self._clock.monotonic() + (again - now).total_seconds()
            _log.warning("alert_not_carried", extra={"channel": channel.name, "trouble": type(trouble).__name__})
            return
        self._fails.pop(channel.name, None)
        await self._store.alert_carried(channel.name, upto)


def _is_down(account: Account, now: datetime) -> bool:
    """Say whether a line that was once linked takes no messages. How long it may is the judgement's to know."""
    if account.phone is None or account.line.code is Code.NOT_LINKED:
        return False
    state = account.line.state
    return state in _LASTING or (state in _SHORT and not account.line.is_connected(now))


def _line(account: Account) -> Trouble:
    code = "" if account.line.code is None else account.line.code.value
    about = {"hesap_id": str(account.id), "hesap": account.name, "durum": account.line.state.value, "kod": code}
    return Trouble(key=f"hat:{account.id}", kind=AlertKind.LINE, about=about)
