"""How the log is read: filters, pages, the attempts behind a message, and what nobody understood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from guvercin.core.errors import Code
from guvercin.core.message import Message, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt of a message, without its secret."""

    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: Code | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Askers:
    """Who asked for a message: one of these tokens, or none of them."""

    token_ids: frozenset[int]
    is_one_of_them: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """Which messages a list shows; null means any. `since` inclusive, `until` exclusive, by creation.

    `scheduled` true: only those waiting for their time; false: queued ones that don't. `account_ids` is the token's.
    `text` is looked for in texts, names and file names. By it, by `askers` and by `is_of_batch` the log is combed
    (store/combing.py): a page may then hold fewer rows than were asked for, and others follow below its `next_id`.
    """

    statuses: frozenset[Status] | None = None
    scheduled: bool | None = None
    account_id: int | None = None
    account_ids: frozenset[int] | None = None
    category: int | None = None
    recipient: str | None = None
    reference: str | None = None
    batch_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    askers: Askers | None = None
    is_of_batch: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list, newest first. `next_id`: ask for rows below it; null on the last page."""

    messages: Sequence[Message]
    next_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Something that a network told and nobody understood: a word for it, and its beginning as it came."""

    at: datetime
    what: str
    body: str
