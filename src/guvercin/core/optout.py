"""What people want of our messages: the words they write, and what a refusal covers.

Laws
1. A refusal is read from a whole message by its fold and from nothing else: «iptal» inside a sentence may be about an
   appointment. What only sounds like a refusal is for a person to decide (DOUBTFUL), and holds bulk until then.
2. A refusal wins over everything: over a consent, over a plan, over a message that waits already.
3. EVERYTHING means everything. Only where the account's owner has chosen so, notices that people wait for (NOTICES)
   still go, one by one, never in bulk.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto

from guvercin.core.errors import Code
from guvercin.core.folding import fold
from guvercin.core.message import Draft


class Wish(Enum):
    """What a message of a customer asks for."""

    STOP = auto()
    START = auto()
    WRONG_NUMBER = auto()
    DOUBTFUL = auto()
    """It sounds like a refusal."""


class OptOutScope(StrEnum):
    """What a refusal covers."""

    EVERYTHING = "her_sey"
    COMMERCIAL = "ticari"
    """What advertises: category 9 and the owner's own commercial ones."""
    WRONG_NUMBER = "yanlis_numara"
    """Somebody else's debts: categories 5 and 7."""
    DOUBTFUL = "bakilacak"
    """Bulk waits until a person has decided what was meant."""


class OptOutSource(StrEnum):
    """How a refusal came to us."""

    MESSAGE = "mesaj"
    PANEL = "panel"
    API = "api"
    IYS = "iys"


NOTICES = frozenset({1, 3, 4, 6, 8})
"""Categories that people wait for: an owner may let them go on, one by one, to people who want nothing else."""

DEBTS = frozenset({5, 7})
"""Categories that tell of money owed: nobody else may learn of it."""

STOPS = frozenset({"ret", "dur", "iptal", "cik", "cikis", "stop", "mesaj istemiyorum"})
STARTS = frozenset({"basla"})
WRONG_NUMBERS = frozenset({"yanlis numara", "numara yanlis", "bu numara yanlis", "yanlis numara bu"})
"""Whole messages, as folded."""

_SHORT = 3
_SHORT_STOPS = frozenset({"ret", "red", "dur", "stop", "cik", "cikis"})
"""Words that sound like a refusal in a message of so few words."""

_DOUBTFUL = re.compile(
    r"""
    \b(mesaj|sms|whatsapp|bildirim|reklam|duyuru)\w*\ (\w+\ ){0,3}(atma|gonderme|yollama|yazma|isteme|istemi)\w*
    | \b(bir\ daha|artik|lutfen)\ (\w+\ ){0,3}(atma|gonderme|yollama|yazma|arama)(yin|yiniz|sana|sin)?\b
    | \brahatsiz\ etme\w*
    | \b(liste|grup|rehber|kayit|sistem)\w*\ (\w+\ ){0,2}(cikar|sil|kaldir)\w*
    | \b(numara|telefon)(mi|mizi|umu|larimi)\ (\w+\ ){0,3}(cikar|sil|kaldir)\w*
    | \bbeni\ (\w+\ ){0,3}(cikar|sil|kaldir)\w*
    | \b(abonelik|uyelik)\w*\ (\w+\ ){0,2}(iptal|sonlandir|bitir)\w*
    | \bsikayet\ ed(ecegim|erim|iyorum)\b
    | \b(mesaj|sms)\w*\ iptal\b | ^iptal\ (et|edin|ediniz|lutfen)$ | ^lutfen\ iptal$
    | \b(yanlis\ (numara|kisi)|numara\w*\ yanlis)
    """,
    re.VERBOSE,
)

_LONGEST = 1_000
"""Letters of a message that are read: a refusal is short."""


MOST_OWN, LONGEST_OWN = 30, 40
"""Words that an owner may add to STOPS, and letters of each."""


def wish_of(text: str, own: frozenset[str] = frozenset()) -> Wish | None:
    """Answer what a customer's message asks for; null: nothing that concerns us here.

    `own`: folds of the words that the owner has added to STOPS. The fixed ones mean what they mean, whatever is added.
    """
    if len(text) > _LONGEST:
        return None
    visible = "".join(letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    words = fold(visible)
    if words in STARTS:
        return Wish.START
    if words in WRONG_NUMBERS:
        return Wish.WRONG_NUMBER
    if words in STOPS or words in own:
        return Wish.STOP
    few = words.split()
    if _DOUBTFUL.search(words) or (len(few) <= _SHORT and not _SHORT_STOPS.isdisjoint(few)):
        return Wish.DOUBTFUL
    return None


class Verdict(Enum):
    """What a refusal does to a message."""

    STOPS = auto()
    HOLDS = auto()


def verdict(
    scope: OptOutScope, category_id: int, *, is_commercial: bool, is_direct: bool, keeps_notices: bool
) -> Verdict | None:
    """Answer what a refusal does to a message; null: it doesn't cover it.

    `is_direct`: sent by itself, not in a bulk. `keeps_notices`: the account's owner lets NOTICES go on.
    """
    match scope:
        case OptOutScope.EVERYTHING:
            goes_on = keeps_notices and is_direct and category_id in NOTICES
            return None if goes_on else Verdict.STOPS
        case OptOutScope.COMMERCIAL:
            return Verdict.STOPS if is_commercial else None
        case OptOutScope.WRONG_NUMBER:
            return Verdict.STOPS if category_id in DEBTS else None
        case OptOutScope.DOUBTFUL:
            return None if is_direct else Verdict.HOLDS


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """One refusal, as it is kept. `account_id` null: it holds for every account.

    `said`: what the person wrote. `token_id`: who entered it, if a person or a program did. An ended one stays for the
    record: `ended_by` says who let messages begin again, `ended_why` in what words.
    """

    id: int
    account_id: int | None
    phone: str
    scope: OptOutScope
    source: OptOutSource
    said: str | None
    token_id: int | None
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: OptOutSource | None = None
    ended_why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOptOut:
    """A refusal to keep."""

    account_id: int | None
    phone: str
    scope: OptOutScope
    source: OptOutSource
    said: str | None = None
    token_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """What is answered to who refuses and to who comes back, as drafts without a recipient.

    `stopped_but_notices`: where the account's owner lets NOTICES go on.
    """

    stopped: Draft
    stopped_but_notices: Draft
    started: Draft


REFUSALS = frozenset({Code.OPTED_OUT, Code.NO_CONSENT})
"""Why a message may not go to a person, whatever its sender wants."""
