"""Who is asking: tokens by their secrets, when they were last used, and how often they may ask."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.token import PREFIX, Token, TokenRules
from guvercin.gateway.clock import Clock
from guvercin.gateway.recent import Recent
from guvercin.gateway.requests import Allowance
from guvercin.store.store import Store

_FRESH = 1.0
"""Seconds for which a token read from the store is believed: a revoked one works no longer than that."""

_MOST_KNOWN = 1_024
_WINDOW = timedelta(minutes=1)
HINT_LENGTH = 10


def hash_of(secret: str) -> bytes:
    """Answer what is stored of a secret. It is 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


async def create_token(store: Store, rules: TokenRules, secret: bytes, *, now: datetime) -> tuple[Token, str]:
    """Make a token from 32 bytes of chance; answers it and its secret, which is shown once and stored nowhere."""
    word = PREFIX + secret.hex()
    token = await store.create_token(rules, hash_of(word), word[:HINT_LENGTH], now=now)
    return token, word


class Access:
    """The tokens in use, remembered for a second."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known = Recent(store.token, clock=clock, fresh=_FRESH, most=_MOST_KNOWN)
        self._used: dict[int, datetime] = {}
        self._windows: dict[int, tuple[float, int]] = {}

    async def authenticate(self, secret: str | None) -> Token:
        """Answer whose secret this is. NO_TOKEN, INVALID_TOKEN."""
        if not secret:
            raise GuvercinError(Code.NO_TOKEN)
        token = await self._find(hash_of(secret))
        now = self._clock.now()
        if token is None or not token.is_valid(now):
            raise GuvercinError(Code.INVALID_TOKEN)
        self._used[token.id] = now
        return token

    # -- the keys of programs

    async def keys(self) -> Sequence[Token]:
        """Answer the tokens that programs hold, revoked ones among them, by id."""
        return [token for token in await self._store.tokens() if token.is_key]

    async def make_key(self, rules: TokenRules, chance: bytes) -> tuple[Token, str]:
        """Make a token from 32 bytes of chance; answers it and its secret, which is shown once."""
        return await create_token(self._store, rules, chance, now=self._clock.now())

    async def revoke_key(self, token_id: int) -> Token:
        """End a token. NOT_FOUND, also for what is no program's."""
        if all(token.id != token_id for token in await self.keys()):
            raise GuvercinError(Code.NOT_FOUND)
        revoked = await self._store.revoke_token(token_id, now=self._clock.now())
        self._known.clear()
        return revoked

    # -- inside

    async def _find(self, secret_hash: bytes) -> Token | None:
        token = await self._known.get(secret_hash)
        if token is None:  # wrong ones are not kept: there are too many of them
            self._known.forget(secret_hash)
        return token

    def spend(self, token: Token) -> Allowance | None:
        """Count one request against a token's limit; null for a token without one. TOO_MANY_REQUESTS."""
        limit = token.rules.per_minute
        if limit is None:
            return None
        at = self._clock.monotonic()
        began, spent = self._windows.get(token.id, (at, 0))
        if at - began >= _WINDOW.total_seconds():
            began, spent = at, 0
        resets_in = _WINDOW - timedelta(seconds=at - began)
        if spent >= limit:
            raise GuvercinError(Code.TOO_MANY_REQUESTS, retry_after=resets_in, params={"sinir": limit})
        self._windows[token.id] = (began, spent + 1)
        return Allowance(limit=limit, remaining=limit - spent - 1, resets_in=resets_in)

    async def write_last_used(self) -> None:
        """Write down when tokens were last used."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._store.touch_tokens(used)
        except GuvercinError:
            self._used = used | self._used
            raise
