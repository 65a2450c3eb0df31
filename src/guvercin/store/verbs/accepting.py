"""Accepting messages and batches: what a request brings with it, and what it came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from guvercin.core.event import EventKind, Standing
from guvercin.core.message import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """An Idempotency-Key as it is kept: `body_hash` recognises another body under the same key."""

    method: str
    path: str
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The guard against retries without a key: a row of this fingerprint after `since` is the same request.

    `since` null: the guard is off for this sender, but later ones may still find this row. `other`: the fingerprint
    that the same request had on the other side of its planned time, and since when; a row of that one is the nearer
    kin.
    """

    fingerprint: bytes
    since: datetime | None
    other: tuple[bytes, datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A token's limit of accepted messages on `day` (its local date), and the time until a new day begins."""

    limit: int
    day: str
    renews_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAsk:
    """What a batch keeps of its request. `is_of_customers`: its sender declared that the list is of their customers.

    `note`: an event to write beside its acceptance, for the record.
    """

    account_id: int
    category: int
    body_hash: bytes
    is_of_customers: bool = False
    note: EventKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What accepting came to: the message or batch, and whether it stood there before."""

    standing: Standing | None = None
    batch_id: int | None = None
    replayed: bool = False
    repeated: bool = False


class Accepting(Protocol):
    """A request becomes a row, once."""

    async def accept(
        self,
        draft: Draft,
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        repeat: Repeat | None,
        quota: Quota | None,
    ) -> Acceptance:
        """Store a message and its event, or answer the row that its sender already has.

        KEY_MISMATCH, DAILY_QUOTA; NOT_FOUND for an account that is gone; OPTED_OUT, NO_CONSENT.
        """

    async def accept_batch(
        self,
        ask: BatchAsk,
        drafts: Sequence[Draft],
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        repeats_since: datetime | None,
        quota: Quota | None,
    ) -> Acceptance:
        """Store a batch and all its rows in one transaction. Raises as `accept`; rows that fail spend no quota.

        A row that its recipient doesn't want is stored as failed.
        """

    async def accepted_before(self, token_id: int, key: KeyRow) -> Acceptance | None:
        """Answer what this very request was accepted as, by its key; null: it never was."""

    async def resend(
        self,
        message_id: int,
        draft: Draft,
        *,
        token_id: int,
        now: datetime,
        key: KeyRow | None,
        quota: Quota | None,
        only_in_doubt: bool = False,
    ) -> Acceptance:
        """Store a new row in place of an old one; an old one in doubt gives up. Raises as `accept`.

        IllegalOrder while the old one may still leave by itself, and with `only_in_doubt` if it isn't in doubt.
        """
