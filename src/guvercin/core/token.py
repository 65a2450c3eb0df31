"""Who may ask for what: API tokens and their permissions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PREFIX = "gv_"
"""Every token begins so: leaked ones can be found by a search."""

PANEL_HINT = "panel"
"""The hint of a token that is no program's key, but stands for what a person does in the panel. It has no secret."""


PASS_NAME = "terminal"  # noqa: S105 -- a name, not a secret
"""The name of the tokens by which a command of the terminal signs in for a moment."""


class Permission(StrEnum):
    """What a token may do. The values are the wire's words for `--yetki`."""

    SEND = "gonder"
    BULK = "toplu"
    FILE = "dosya"
    READ = "oku"
    ACCOUNTS = "hesap"
    ADMIN = "yonet"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What the owner decided about a token.

    `account_ids` null means every account. `per_minute` limits requests, `per_day` accepted messages; null: no limit.
    `guards_retries`: a repeat without a key within five minutes answers the first row. `strict_categories`: an unknown
    tur_id is refused. `counts_accepted`: a batch answers at once with everything accepted counted as sent, for clients
    that break on `sent < total`; its owner chose that.
    """

    name: str
    permissions: frozenset[Permission]
    account_ids: frozenset[int] | None = None
    expires_at: datetime | None = None
    per_minute: int | None = None
    per_day: int | None = None
    guards_retries: bool = True
    strict_categories: bool = False
    counts_accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A stored token. Its secret is not here: only its SHA-256 is kept. `hint` is the prefix that people recognise."""

    id: int
    hint: str
    rules: TokenRules
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Say whether it may be used at `now`."""
        if self.revoked_at is not None:
            return False
        return self.rules.expires_at is None or now < self.rules.expires_at

    @property
    def is_key(self) -> bool:
        """Say whether a program holds it."""
        return self.hint != PANEL_HINT

    def may(self, permission: Permission) -> bool:
        """Say whether it carries a permission."""
        return permission in self.rules.permissions

    def sees(self, account_id: int) -> bool:
        """Say whether an account exists for this token: foreign ones answer as if they did not."""
        return self.rules.account_ids is None or account_id in self.rules.account_ids
