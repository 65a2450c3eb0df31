"""Who has agreed to be advertised to, in the words that İYS (the national register of consents) uses.

Laws
1. A consent opens the way for commercial messages alone; a refusal (core/optout.py) wins over it, however old it is.
2. The burden of proof is the sender's: a consent says when, where and to which text it was given, and keeps its proof.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsentSource(StrEnum):
    """Where a consent was given: İYS's own words."""

    PAPER = "HS_FIZIKSEL_ORTAM"
    SIGNED = "HS_ISLAK_IMZA"
    WEB = "HS_WEB"
    CALL_CENTRE = "HS_CAGRI_MERKEZI"
    SOCIAL_MEDIA = "HS_SOSYAL_MEDYA"
    EMAIL = "HS_EPOSTA"
    MESSAGE = "HS_MESAJ"
    MOBILE = "HS_MOBIL"
    ELECTRONIC = "HS_EORTAM"
    EVENT = "HS_ETKINLIK"
    BEFORE_2015 = "HS_2015"
    ATM = "HS_ATM"
    DECISION = "HS_KARAR"


class RecipientKind(StrEnum):
    """Whom İYS tells apart: a private person, or a merchant, who need not agree beforehand but may refuse."""

    PERSON = "BIREYSEL"
    MERCHANT = "TACIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The file that proves a consent: its SHA-256 in hex, by which the spool keeps it, and its name."""

    digest: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent:
    """A consent to keep. `phone` is E.164; `text_version` names the text that was agreed to."""

    phone: str
    recipient_kind: RecipientKind
    source: ConsentSource
    given_at: datetime
    text_version: str | None
    proof: Proof | None
    token_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(NewConsent):
    """A consent as it is kept."""

    id: int
    created_at: datetime
