"""What people may ask about themselves: everything that is held of them, and that it be forgotten.

Laws
1. Of somebody who is forgotten a keyed hash of the number stays, in the list of refusals alone and only if there was
   one: so a refusal outlives the person's data.
2. Nobody is forgotten while a message to them is on its way, or while the law wants their data kept.
3. Every destruction leaves a row that says when, why and how much, and never who.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from guvercin.core.consent import Consent
from guvercin.core.event import Event
from guvercin.core.log import Tried
from guvercin.core.message import Message
from guvercin.core.optout import OptOut

FORGOTTEN = "silindi"
"""What stands in the place of the number of somebody who was forgotten."""

HIDDEN = "gizli:"
"""How the hash of a number begins, in the place of one that was forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message with everything that is held of it."""

    message: Message
    attempts: Sequence[Tried]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one account knows of a number: when its person last wrote, and was last written to."""

    account_id: int
    wrote_at: datetime | None
    written_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """What somebody wrote to an account; `text` null: its time was over."""

    account_id: int
    at: datetime
    name: str | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberKnown:
    """What an account's network said of a number; `is_registered` null: it was asked and hasn't said."""

    account_id: int
    is_registered: bool | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The law wants somebody's data kept; `why` is a note of who said so."""

    phone: str
    why: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything that is held of a number. `drafts`: bulk requests that are not made yet and name it."""

    phone: str
    messages: Sequence[Told]
    refusals: Sequence[OptOut]
    consents: Sequence[Consent]
    seen: Sequence[Seen]
    wrote: Sequence[Wrote]
    checks: Sequence[NumberKnown]
    drafts: int
    hold: Hold | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What a forgetting took. `digests`: files that may be nobody's any more."""

    messages: int
    refusals: int
    others: int
    digests: frozenset[str] = frozenset()


class Cause(StrEnum):
    """Why something was destroyed, in the wire's words."""

    NIGHT = "sure_doldu"
    PERSON = "kisi_istedi"
    FILES = "dosya_suresi_doldu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """One destruction in the log of them: how many texts, records, files and other rows went, and nothing of whom.

    `ended_at` null: it is going on, or a stop cut it short and the next one goes on with it.
    """

    id: int
    began_at: datetime
    ended_at: datetime | None
    cause: Cause
    texts: int = 0
    records: int = 0
    files: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long what is kept; null: for ever."""

    texts: timedelta | None = timedelta(days=90)
    records: timedelta | None = timedelta(days=365)
    audit: timedelta | None = timedelta(days=1_096)
