"""Who signs in to the panel: the first person, the others, their passwords and their sessions.

Laws
1. There is no default password: the first person needs a code that only the server's own terminal shows.
2. Of a password its Argon2id hash is kept, of a session and of a set-up code their SHA-256.
3. A wrong name costs as much time as a wrong password, and tells no more.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import TYPE_CHECKING

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.folding import fold
from guvercin.core.person import LONGEST_PASSWORD, SHORTEST_PASSWORD, Person, Role, Session
from guvercin.gateway.clock import Clock
from guvercin.gateway.drafting import Faults, check_word
from guvercin.gateway.recent import Recent
from guvercin.store.store import Store

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FIRST_NAME = "yönetici"
"""The first person, who is asked for a password and nothing else."""

LONGEST_NAME = 60
_LONGEST_AGENT = 300

TRIES = 5
"""Wrong passwords in a row, of one person or from one address, before both wait."""

PAUSE = timedelta(seconds=60)

_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no I, L, O, 0, 1: a code is read from one screen and typed into another
_CODE_LENGTH = 8
_HASHES_AT_ONCE = 2
"""Each takes 64 MB and a core for a moment: a crowd of guesses must not take the machine."""

_TOUCH_EVERY = timedelta(minutes=5)
_FRESH = 1.0
_MOST_KNOWN = 512
_ADDRESSES = 1_024

COMMON = frozenset(
    [
        "1234567890",
        "0123456789",
        "12345678910",
        "123456789a",
        "1234512345",
        "1111111111",
        "0000000000",
        "1122334455",
        "0987654321",
        "qwertyuiop",
        "qwerty12345",
        "1q2w3e4r5t",
        "q1w2e3r4t5",
        "asdfghjkl1",
        "password12",
        "password123",
        "passw0rd123",
        "administrator",
        "admin12345",
        "letmein123",
        "welcome123",
        "iloveyou123",
        "galatasaray",
        "fenerbahce",
        "fenerbahce1907",
        "galatasaray1905",
        "besiktas1903",
        "trabzonspor",
        "istanbul34",
        "turkiye1923",
        "ataturk1881",
        "parola12345",
        "sifre12345",
        "guvercin12",
        "guvercin123",
        "whatsapp123",
        "merhaba123",
        "abcdefghij",
        "abc1234567",
    ]
)
"""Passwords that are tried first: by their folds, so that «Galatasaray 1905» is one of them."""


@dataclass(frozen=True, slots=True)
class MustWait:
    """Nobody is asked for a password now: it was wrong too often."""

    pause: timedelta


class People:
    """Everybody who may sign in, and the browsers in which they did."""

    def __init__(self, *, store: Store, clock: Clock, rng: Random) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng
        self._turns = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._tries = _Tries(clock)
        self._sessions = Recent(store.session, clock=clock, fresh=_FRESH, most=_MOST_KNOWN)

    async def every(self) -> Sequence[Person]:
        """Answer everybody who may sign in."""
        return await self._store.people()

    # -- the first one

    async def make_setup_code(self) -> str:
        """Make the code by which the first person is added, in place of any earlier one. NOT_FOUND: there is one."""
        code = "".join(self._rng.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        await self._store.keep_setup_code(_code_hash(code), now=self._clock.now())
        return f"{code[:4]}-{code[4:]}"

    async def try_setup_code(self, code: str) -> bool:
        """Say whether a set-up code is good; a wrong one costs the right one a try."""
        return await self._store.try_setup_code(_code_hash(code), now=self._clock.now())

    async def set_up(self, code: str, password: str) -> Person:
        """Add the first person. NOT_FOUND: the code is not good; INVALID_FIELD: the password is not."""
        check_password(password)
        return await self._store.add_person(
            FIRST_NAME,
            Role.ADMIN,
            await self._hash(password),
            self._rng.randbytes(32),
            now=self._clock.now(),
            code_hash=_code_hash(code),
        )

    # -- the others

    async def add(self, name: str, role: Role, password: str) -> Person:
        """Add a person. INVALID_FIELD."""
        faults = Faults()
        checked = check_word(faults, name, "name", LONGEST_NAME)
        if checked is None:
            faults.add(Code.INVALID_FIELD, "name", "bos")
        faults.check()
        check_password(password)
        return await self._store.add_person(
            checked or name,
            role,
            await self._hash(password),
            self._rng.randbytes(32),
            now=self._clock.now(),
            code_hash=None,
        )

    async def set_role(self, person_id: int, role: Role) -> Person:
        """Change what a person may do. NOT_FOUND; INVALID_FIELD if nobody would be left who may do everything."""
        changed = await self._store.change_person(person_id, role=role, now=self._clock.now())
        self._sessions.clear()
        return changed

    async def set_password(self, person_id: int, password: str) -> None:
        """Change a password and end every session that the old one opened. NOT_FOUND, INVALID_FIELD."""
        check_password(password)
        hashed = await self._hash(password)
        await self._store.change_person(person_id, password_hash=hashed, now=self._clock.now())
        await self.end_sessions(person_id)

    async def set_language(self, person_id: int, language: str) -> None:
        """Remember in which language a person reads."""
        await self._store.change_person(person_id, language=language, now=self._clock.now())
        self._sessions.clear()

    async def remove(self, person_id: int) -> None:
        """Let a person sign in no more. Raises as `set_role`."""
        await self._store.remove_person(person_id, now=self._clock.now())
        self._sessions.clear()

    # -- signing in

    async def sign_in(self, name: str | None, password: str, *, agent: str, address: str) -> str | MustWait | None:
        """Answer the secret of a new session, or null if it was wrong. `name` null: the only person there is."""
        person = await self._named(name)
        who = f"/{person.id if person else fold(name or '')[:LONGEST_NAME]}"  # no address has a slash
        waits = self._tries.begin(address, who)
        if waits is not None:
            return waits
        kept = None if person is None else await self._store.password_hash(person.id)
        is_right = await self._verify(kept, password)
        if person is None or not is_right:
            return None
        self._tries.forget(address, who)
        return await self.open_session(person, agent=agent, address=address)

    async def is_password(self, person: Person, password: str) -> bool:
        """Say whether a person's password is this; it isn't one more try."""
        return await self._verify(await self._store.password_hash(person.id), password)

    async def _named(self, name: str | None) -> Person | None:
        people = await self._store.people()
        if name is None:
            return people[0] if len(people) == 1 else None
        return next((person for person in people if fold(person.name) == fold(name)), None)

    async def open_session(self, person: Person, *, agent: str, address: str) -> str:
        """Sign a person in; answers the session's secret, which is stored nowhere."""
        secret = self._rng.randbytes(32).hex()
        await self._store.open_session(
            person.id, session_hash(secret), agent=agent[:_LONGEST_AGENT], address=address, now=self._clock.now()
        )
        return secret

    async def session(self, secret: str) -> Session | None:
        """Answer the session of a secret, unless it is over."""
        key = session_hash(secret)
        found, now = await self._sessions.get(key), self._clock.now()
        if found is None:
            self._sessions.forget(key)
            return None
        if found.is_over(now):
            return None
        if now - found.seen_at >= _TOUCH_EVERY:
            with suppress(GuvercinError):  # on a full disk people may look at least
                await self._store.touch_session(found.id, now=now)
            self._sessions.forget(key)
        return found

    async def sessions(self, person: Person) -> Sequence[Session]:
        """Answer the browsers in which a person is signed in, the last used first."""
        now = self._clock.now()
        return [session for session in await self._store.sessions(person.id) if not session.is_over(now)]

    async def end_sessions(self, person_id: int, session_id: int | None = None) -> None:
        """Sign a person out, of one browser or of all."""
        await self._store.close_sessions(person_id, session_id)
        self._sessions.clear()

    # -- inside

    async def _hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(lambda: _hasher().hash(password))

    async def _verify(self, kept: str | None, password: str) -> bool:
        async with self._turns:
            return await asyncio.to_thread(_is_right, kept or _nobodys(), password)


def check_password(password: str) -> None:
    """Refuse a password that is too short, too long or among the first that anybody tries. INVALID_FIELD."""
    faults = Faults()
    if len(password) < SHORTEST_PASSWORD:
        faults.add(Code.INVALID_FIELD, "password", "kisa_parola", limit=SHORTEST_PASSWORD)
    elif len(password) > LONGEST_PASSWORD:
        faults.add(Code.INVALID_FIELD, "password", "uzun", limit=LONGEST_PASSWORD)
    elif fold(password).replace(" ", "") in COMMON or len(set(password)) == 1:
        faults.add(Code.INVALID_FIELD, "password", "bilinen_parola")
    faults.check()


def session_hash(secret: str) -> bytes:
    """Answer what is stored of a session's secret: it is 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def _code_hash(code: str) -> bytes:
    letters = "".join(letter for letter in code.upper() if letter in _ALPHABET)
    return hashlib.sha256(letters.encode()).digest()


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher  # noqa: PLC0415 -- loaded when somebody signs in

    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody has this password")


def _is_right(kept: str, password: str) -> bool:
    from argon2.exceptions import VerificationError  # noqa: PLC0415 -- as in _hasher

    try:
        return _hasher().verify(kept, password)
    except VerificationError:
        return False


class _Tries:
    """Counts tries that were not followed by the right password, in a bounded space."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def begin(self, *keys: str) -> MustWait | None:
        """Count one try before it is made: guesses that come all at once are counted too."""
        now = self._clock.monotonic()
        for key in keys:
            at, count = self._counted.get(key, (now, 0))
            left = at + PAUSE.total_seconds() - now
            if count >= TRIES and left > 0:
                return MustWait(timedelta(seconds=left))
        for key in keys:
            at, count = self._counted.pop(key, (now, 0))
            is_old = now - at >= PAUSE.total_seconds()
            self._counted[key] = (now, 1 if is_old else count + 1)
            if len(self._counted) > _ADDRESSES:
                self._counted.popitem(last=False)
        return None

    def forget(self, *keys: str) -> None:
        """Begin anew: the password was right."""
        for key in keys:
            self._counted.pop(key, None)
