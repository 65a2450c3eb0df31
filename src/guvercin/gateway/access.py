"""Who is asking: tokens by their secrets, when they were last used, and how often they may ask."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
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


PASS_LIFETIME = timedelta(hours=24)
"""How long a pass lasts that a pair was shown for."""

PASS_PREFIX = "gp_"  # noqa: S105 -- the beginning of a secret is none
"""Every pass begins so: what it is can be seen, and a leaked one found."""

PUBLIC_PREFIX, SECRET_PREFIX = "pk_live_", "sk_live_"
"""The two halves of a pair, as software of the vendor's expects them."""


def pair_word(api_key: str, api_secret: str) -> str:
    """Answer the one secret that two halves make together."""
    return f"{api_key}:{api_secret}"


async def create_pair(store: Store, rules: TokenRules, chance: bytes, *, now: datetime) -> tuple[Token, str, str]:
    """Make a token that is shown as two halves, from 32 bytes of chance; answers it, its key and its secret.

    The halves buy passes of a day (`Access.open_pass`); the key alone is no secret, and is the token's hint.
    """
    api_key, api_secret = PUBLIC_PREFIX + chance[:8].hex(), SECRET_PREFIX + chance[8:].hex()
    token = await store.create_token(rules, hash_of(pair_word(api_key, api_secret)), api_key, now=now)
    return token, api_key, api_secret


class Access:
    """The tokens in use, remembered for a second."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known = Recent(self._read, clock=clock, fresh=_FRESH, most=_MOST_KNOWN)
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

    async def open_pass(self, api_key: str, api_secret: str, chance: bytes) -> tuple[str, datetime]:
        """Answer a pass of a day for a pair, and when it ends. INVALID_TOKEN.

        The pass stands for the pair's own token: what is sent with it belongs to that, and ends with it.
        """
        token = await self._store.token(hash_of(pair_word(api_key, api_secret)))
        now = self._clock.now()
        if token is None or not token.is_valid(now) or not api_key.startswith(PUBLIC_PREFIX):
            raise GuvercinError(Code.INVALID_TOKEN)
        secret, until = PASS_PREFIX + chance.hex(), now + PASS_LIFETIME
        if token.rules.expires_at is not None:
            until = min(until, token.rules.expires_at)
        await self._store.add_pass(token.id, hash_of(secret), until=until)
        return secret, until

    async def end_pass(self, secret: str) -> bool:
        """End a pass; says whether it was one: a token that its owner made is not its program's to end."""
        has_ended = await self._store.end_pass(hash_of(secret))
        self._known.forget(hash_of(secret))
        return has_ended

    async def _read(self, secret_hash: bytes) -> Token | None:
        """Answer the token of a secret, or of the pass that it is."""
        return await self._store.token(secret_hash) or await self._store.token_of_pass(
            secret_hash, now=self._clock.now()
        )

    # -- the keys of programs

    async def keys(self) -> Sequence[Token]:
        """Answer the tokens that programs hold, revoked ones among them, by id.

        When they were last used is written down now and then; what is not written yet is told all the same.
        """
        return [
            replace(token, last_used_at=self._used.get(token.id, token.last_used_at))
            for token in await self._store.tokens()
            if token.is_key
        ]

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
