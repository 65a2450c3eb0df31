"""What the callers of a simulated day wanted, and what they were told: the other half of the truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from guvercin.core.errors import Code
from guvercin.core.message import Lane
from guvercin.core.pacing import Gap

ASKED_IN_VAIN = frozenset(
    {
        Code.STORE_UNAVAILABLE,
        Code.CLOSING,
        Code.NOT_CANCELLABLE,
        Code.MESSAGES_WAITING,
        Code.INVALID_PHONE,
        Code.INVALID_TIME,
        Code.KEY_MISMATCH,
        Code.NOT_FOUND,
        Code.NO_ACCOUNT,
        Code.TOO_MANY_REQUESTS,
        Code.DAILY_QUOTA,
        Code.OPTED_OUT,
        Code.NO_CONSENT,
        Code.NO_SENDER_TITLE,
    }
)
"""What a caller may be told on such a day instead of an answer."""


def text_of(body: str) -> str:
    """Answer what a caller wanted to say: below it may stand who sends it, and how to refuse."""
    return body.partition("\n")[0]


_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller wants to become of one request: one message, or one batch to `phones`. Its text is its name."""

    text: str
    phones: tuple[str, ...]
    account_id: int | None
    planned_at: datetime | None = None
    lifetime: timedelta | None = None
    has_key: bool = False
    is_guarded: bool = True
    is_batch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the owner of an account wants of its pace: the most in an hour and a day, and seconds to one recipient."""

    hourly: int
    daily: int
    recipient_gap: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a customer wrote to an account: `at` by the wall, `told_at` when the line first told it."""

    account_id: int
    phone: str
    text: str
    at: datetime
    told_at: float


@dataclass(slots=True)
class Ledger:
    """The callers' book. Times of the wall are those of the simulated wall."""

    wishes: dict[str, Wish] = field(default_factory=dict)
    log_ids: dict[str, list[int]] = field(default_factory=dict)
    """The ids that the caller of a wish was told, as often as it was told."""
    batch_ids: dict[str, set[int]] = field(default_factory=dict)
    withdrawn: set[int] = field(default_factory=set)
    """Messages whose callers were told that they are withdrawn."""
    last_told: dict[tuple[str, int], str] = field(default_factory=dict)
    """The status that somebody was last told of a message."""
    spent: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    """The moments of the requests that a limit let through, by process and token."""
    minute_limits: dict[int, int] = field(default_factory=dict)
    day_limits: dict[int, int] = field(default_factory=dict)
    paces: dict[int, Mapping[Lane, Gap]] = field(default_factory=dict)
    limits: dict[int, Limits] = field(default_factory=dict)
    """The rules of the accounts that keep some."""
    highest_wall: datetime = _NEVER
    """The latest hour that the wall clock showed before somebody set it back."""
    forward_jumps: list[float] = field(default_factory=list)
    """The moments at which somebody set the wall clock forward."""
    said: list[Said] = field(default_factory=list)
    """What customers wrote."""
    decided: set[str] = field(default_factory=set)
    """Numbers of which somebody has written down, or ended, a refusal."""
    notices: set[int] = field(default_factory=set)
    """Accounts whose owner lets notices go on to people who want nothing else."""
    has_jumped: bool = False
    """Somebody has set the wall clock."""
