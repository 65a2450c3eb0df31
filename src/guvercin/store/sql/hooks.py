"""Hooks, over SQL: what each verb promises stands in store/verbs/hooks.py."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from guvercin.core.hook import CloseReason, Delivery, Hook, HookEvent, Lag, Notice, Secrets
from guvercin.store import hooks
from guvercin.store.sql.database import Database
from guvercin.store.verbs.hooks import NewHook, Window
from guvercin.store.writer import Tx


class SqlHooks(Database):
    """See guvercin.store.verbs.hooks.Hooks."""

    async def add_hook(self, new: NewHook, *, now: datetime) -> Hook:
        return await self._writer.do(lambda tx: hooks.add(tx, new, now=now))

    async def hooks(self) -> Sequence[Hook]:
        return await self._read(hooks.every)

    async def change_hook(
        self,
        hook_id: int,
        *,
        url: str | None = None,
        events: Collection[HookEvent] | None = None,
        account_ids: Collection[int] | None = None,
        secrets: Secrets | None = None,
        now: datetime,
    ) -> Hook:
        return await self._writer.do(
            lambda tx: hooks.change(
                tx, hook_id, url=url, events=events, account_ids=account_ids, secrets=secrets, now=now
            )
        )

    async def close_hook(self, hook_id: int, reason: CloseReason, *, now: datetime) -> Hook:
        return await self._writer.do(lambda tx: hooks.close(tx, hook_id, reason, now=now))

    async def reopen_hook(self, hook_id: int, *, now: datetime) -> Hook:
        return await self._writer.do(lambda tx: hooks.reopen(tx, hook_id, now=now))

    async def remove_hook(self, hook_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: hooks.remove(tx, hook_id, now=now))

    async def hook_window(self, hook: Hook, *, after: int, now: datetime, due: int, fresh: int) -> Window:
        return await self._read(partial(hooks.window, hook=hook, after=after, now=now, due=due, fresh=fresh))

    async def settle_window(
        self,
        hook_id: int,
        deliveries: Sequence[Delivery],
        *,
        stood_at: int,
        upto: int,
        failing_since: datetime | None,
        is_well_again: bool,
        now: datetime,
    ) -> None:
        def work(tx: Tx) -> None:
            hooks.settle(
                tx,
                hook_id,
                deliveries,
                stood_at=stood_at,
                upto=upto,
                failing_since=failing_since,
                is_well_again=is_well_again,
                now=now,
            )

        await self._writer.do(work)

    async def deliveries(self, hook: Hook, *, below: int | None, limit: int) -> tuple[Sequence[Delivery], int]:
        return await self._read(partial(hooks.deliveries, hook=hook, below=below, limit=limit))

    async def hook_tries(self, *, now: datetime) -> Mapping[int, tuple[int, int]]:
        return await self._read(partial(hooks.tries, now=now))

    async def hook_lags(self) -> Sequence[Lag]:
        return await self._read(hooks.lags)

    async def replay(self, hook: Hook, event_id: int, *, now: datetime) -> None:
        await self._writer.do(lambda tx: hooks.replay(tx, hook, event_id, now=now))

    async def replay_since(self, hook_id: int, moment: datetime) -> int:
        return await self._writer.do(lambda tx: hooks.replay_since(tx, hook_id, moment))

    async def feed(
        self, after: int, kinds: Collection[HookEvent], account_ids: Collection[int] | None, *, limit: int
    ) -> tuple[Sequence[Notice], int]:
        return await self._read(partial(hooks.feed, after=after, kinds=kinds, account_ids=account_ids, limit=limit))
