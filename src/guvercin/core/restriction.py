"""What WhatsApp has closed for an account for a while, and what that stops."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from guvercin.core.errors import Code


class RestrictionKind(StrEnum):
    """What is stopped, or slowed."""

    NEW = "yeni"
    """Chats that the account begins: error 463, or the time lock that says until when."""

    MONTH = "aylik"
    """The same, because the month's quota of chats is used up: error 475."""

    WARNED = "uyari"
    """WhatsApp warns that the month's quota runs out: half as many new chats until the cycle ends."""

    SLOWED = "yavas"
    """A day after a temporary ban: everything at a quarter of its pace."""

    BACKS_OFF = "geri_cekilme"
    """WhatsApp said «too fast» (429): nothing leaves for a while that grows."""

    BULK = "toplu"
    """After a temporary ban: bulk stays paused until a human resumes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One of them. `until` null: until a human decides. `step` counts how often it has grown."""

    kind: RestrictionKind
    code: Code
    since: datetime
    until: datetime | None
    step: int = 0


UNSTATED_LOCK = timedelta(days=7)
"""How long new chats stay closed when WhatsApp did not say: the locks that were seen lasted six days."""

SLOWED_FOR = timedelta(hours=24)

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""How long everything rests after each «too fast» that follows another; a good hour forgets them."""
