"""Addresses that hear what happened, and what has to be delivered to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guvercin.core.hook import CloseReason, Delivery, Hook, HookEvent, Lag, Notice, Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHook:
    """An address to be added. `sealed` is its secret."""

    token_id: int
    url: str
    events: Collection[HookEvent]
    account_ids: Collection[int] | None
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A delivery whose time has come again. `since`: when it was first kept."""

    notice: Notice
    tries: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a hook has to deliver now.

    `behind`: new events whose subject waits already. Everything up to `upto` is here or none of the hook's; `next_at`:
    when the next delivery that waits is due.
    """

    again: Sequence[Try]
    fresh: Sequence[Notice]
    behind: Sequence[Notice]
    upto: int
    is_more: bool
    next_at: datetime | None


class Hooks(Protocol):
    """Hooks and their deliveries."""

    async def add_hook(self, new: NewHook, *, now: datetime) -> Hook:
        """Add a hook that hears what happens from now on."""

    async def hooks(self) -> Sequence[Hook]:
        """Answer every hook that was not removed, by id."""

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
        """Change what its owner decides about a hook. NOT_FOUND."""

    async def close_hook(self, hook_id: int, reason: CloseReason, *, now: datetime) -> Hook:
        """Deliver nothing more to a hook, and tell so. Its place stays. NOT_FOUND."""

    async def reopen_hook(self, hook_id: int, *, now: datetime) -> Hook:
        """Let a hook go on where it stood. NOT_FOUND."""

    async def remove_hook(self, hook_id: int, *, now: datetime) -> None:
        """Forget a hook with its secrets and deliveries. NOT_FOUND."""

    async def hook_window(self, hook: Hook, *, after: int, now: datetime, due: int, fresh: int) -> Window:
        """Answer what a hook has to deliver now."""

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
        """Write what became of a window, and the hook's new place, in one change.

        Writing it again changes nothing but the count of tries.
        """

    async def deliveries(self, hook: Hook, *, below: int | None, limit: int) -> tuple[Sequence[Delivery], int]:
        """Answer a page of a hook's deliveries, newest first, and the event below which to go on (0: nowhere)."""

    async def hook_tries(self, *, now: datetime) -> Mapping[int, tuple[int, int]]:
        """Answer by hook how many tries of the last 24 hours were taken, and how many not."""

    async def hook_lags(self) -> Sequence[Lag]:
        """Answer how far each hook is behind."""

    async def replay(self, hook: Hook, event_id: int, *, now: datetime) -> None:
        """Deliver an event to a hook once more. NOT_FOUND."""

    async def replay_since(self, hook_id: int, moment: datetime) -> int:
        """Set a hook's place back to a moment. NOT_FOUND."""

    async def feed(
        self, after: int, kinds: Collection[HookEvent], account_ids: Collection[int] | None, *, limit: int
    ) -> tuple[Sequence[Notice], int]:
        """Answer what happened after an event, oldest first, and from where to go on."""
