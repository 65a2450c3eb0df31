"""Who did what: the audit's words, and the chain that shows whether it was touched.

Laws
1. An entry is written in the transaction of the change that it tells of: there is neither without the other.
2. It holds ids and codes, never a text or a number: it outlives the people it is about.
3. Each entry names the hash of the one before it. Who changes, removes or adds one in the middle breaks the chain from
   there on; who cuts off the end is betrayed by the count of entries that were ever given out.

The chain guards against a hand in the database, not against somebody who computes every hash anew: note the newest
hash elsewhere now and then (`guvercin doktor` shows it) to notice that too.
"""

import hashlib
import json
from collections.abc import Mapping
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

FIRST = bytes(32)
"""What the very first entry names as the hash before it."""


class Way(StrEnum):
    """How somebody came to it, in the wire's words."""

    API = "api"
    PANEL = "panel"
    TERMINAL = "komut"
    ITSELF = "sistem"


class Act(StrEnum):
    """What was done that leaves no event of its own; whatever leaves one goes by the event's word."""

    SIGNED_IN = "oturum.acildi"
    TOKEN_MADE = "anahtar.uretildi"  # noqa: S105 -- a word
    TOKEN_REVOKED = "anahtar.iptal_edildi"  # noqa: S105 -- a word
    PERSON_ADDED = "kullanici.eklendi"
    PERSON_CHANGED = "kullanici.degistirildi"
    PERSON_REMOVED = "kullanici.kaldirildi"
    LINE_ORDERED = "hesap.ac_kapat"
    HOOK_ADDED = "webhook.eklendi"
    HOOK_CHANGED = "webhook.degistirildi"
    HOOK_REOPENED = "webhook.acildi"
    HOOK_REMOVED = "webhook.kaldirildi"
    WORDS_CHANGED = "ret.sozleri_degisti"
    EXPORTED = "kisi.disa_aktarildi"
    ERASED = "kisi.silindi"
    HELD = "kisi.saklandi"
    HOLD_ENDED = "kisi.saklama_bitti"
    SHORTENED = "denetim.kisaltildi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is at work: a token (of a program or of a person), the way they came, and from where."""

    way: Way
    token_id: int | None = None
    address: str | None = None


ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)
"""Who the request at hand is of. Null: nobody asked for it, the gateway does it by itself."""


def nobodys() -> Context:
    """Answer a context like this one in which nobody is at work: for what goes on after a request has ended."""
    context = copy_context()
    context.run(ACTOR.set, None)
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. `about` names what it was done to (`hesap:3`); `who` is the token's name, where it has one."""

    id: int
    at: datetime
    what: str
    about: str | None
    way: Way
    token_id: int | None
    address: str | None
    detail: Mapping[str, Any]
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which entries are wanted: of one token, or of nobody; from one moment to before another. Null: whatever."""

    token_id: int | None = None
    is_nobodys: bool = False
    since: datetime | None = None
    until: datetime | None = None


ALL = Sought()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a look at the whole chain found: `broken_at` is the first entry that doesn't fit, null if all do.

    `head` is the newest entry's hash, in hex.
    """

    count: int
    head: str | None
    broken_at: int | None = None


def hash_of(before: bytes, values: tuple[object, ...]) -> bytes:
    """Answer the hash of an entry: of the hash before it, and of its columns in their order."""
    return hashlib.sha256(before + json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()).digest()
