"""Who signs in to the panel, and what they may do there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from guvercin.core.token import Permission, Token

IDLE_LIMIT = timedelta(hours=12)
"""A session that nobody used for so long is over."""

SESSION_LIMIT = timedelta(days=30)
"""And one that is so old, however busy."""

SETUP_LIMIT = timedelta(minutes=30)
"""How long a one-time set-up link works."""

SETUP_TRIES = 5
"""Wrong codes after which the right one is void too."""

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200


class Role(StrEnum):
    """What a person may do. The values are those of the wire and of the database."""

    ADMIN = "yonetici"
    """Everything."""

    VIEWER = "izleyici"
    """Looks, sees numbers masked, and changes nothing."""


PERMISSIONS = {
    Role.ADMIN: frozenset(Permission),
    Role.VIEWER: frozenset({Permission.READ}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who signs in. The password is not here: the store keeps its Argon2id hash alone.

    `token`: in whose name this person's messages, batches and drafts are; it has no secret. `language`: as chosen in
    the panel, null for whatever the browser asks for.
    """

    id: int
    name: str
    role: Role
    token: Token
    created_at: datetime
    language: str | None = None

    def may(self, permission: Permission) -> bool:
        """Say whether this person may do something."""
        return permission in PERMISSIONS[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser in which a person is signed in. `id` names it to its owner and is no secret."""

    id: int
    person: Person
    opened_at: datetime
    seen_at: datetime
    agent: str
    address: str

    def is_over(self, now: datetime) -> bool:
        """Say whether it has been too long."""
        return now - self.seen_at >= IDLE_LIMIT or now - self.opened_at >= SESSION_LIMIT
