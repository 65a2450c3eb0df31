"""Who may come in: tokens, and passes that stand for them for a while."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from guvercin.core.token import Token, TokenRules


class Access(Protocol):
    """Tokens, and passes that stand for them for a while."""

    async def create_token(self, rules: TokenRules, secret_hash: bytes, hint: str, *, now: datetime) -> Token:
        """Store a token by the SHA-256 of its secret."""

    async def tokens(self) -> Sequence[Token]:
        """Answer every token, by id."""

    async def token(self, secret_hash: bytes) -> Token | None:
        """Answer the token of a secret."""

    async def token_of_pass(self, secret_hash: bytes, *, now: datetime) -> Token | None:
        """Answer the token that a pass stands for, while its day lasts."""

    async def add_pass(self, token_id: int, secret_hash: bytes, *, until: datetime) -> None:
        """Let a secret stand for a token until a moment."""

    async def end_pass(self, secret_hash: bytes) -> bool:
        """End a pass; says whether there was one."""

    async def revoke_token(self, token_id: int, *, now: datetime) -> Token:
        """End a token. NOT_FOUND."""

    async def touch_tokens(self, used: Mapping[int, datetime]) -> None:
        """Write when tokens were last used."""
