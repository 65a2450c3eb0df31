"""What is answered about people's rights and about who did what."""

from typing import Annotated, Any

from pydantic import Field

from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime
from guvercin.api.answers.messages import MessageHistory
from guvercin.api.answers.people import ConsentRecord, OptOutRecord
from guvercin.core.audit import Way
from guvercin.core.rights import Cause


class HoldRecord(Answered):
    """The law wants somebody's data kept."""

    why: Annotated[str | None, Field(alias="neden")]
    since: Annotated[ClockTime, Field(alias="baslangic")]


class WroteRecord(Answered):
    """What somebody wrote to an account; `metin` null: its time was over."""

    account_id: Annotated[int, Field(alias="hesap_id")]
    at: Annotated[ClockTime, Field(alias="zaman")]
    name: Annotated[str | None, Field(alias="isim")]
    text: Annotated[str | None, Field(alias="metin")]


class SeenRecord(Answered):
    """When somebody last wrote to an account, and was last written to by it."""

    account_id: Annotated[int, Field(alias="hesap_id")]
    wrote_at: Annotated[ClockTime | None, Field(alias="son_yazdigi")]
    written_at: Annotated[ClockTime | None, Field(alias="son_yazilan")]


class CheckRecord(Answered):
    """What an account's network said of the number."""

    account_id: Annotated[int, Field(alias="hesap_id")]
    is_registered: Annotated[bool | None, Field(alias="whatsappta")]
    at: Annotated[ClockTime | None, Field(alias="zaman")]


class HeldMessage(MessageHistory):
    """A message with its timeline, and what a list knew of its recipient beside the name."""

    variables: Annotated[dict[str, str], Field(alias="degiskenler")]


class DossierRecord(Answered):
    """Everything that is held of a number. `taslak`: lists not sent yet that name it."""

    phone: Annotated[str, Field(alias="telefon")]
    messages: Annotated[list[HeldMessage], Field(alias="mesajlar")]
    refusals: Annotated[list[OptOutRecord], Field(alias="ret")]
    consents: Annotated[list[ConsentRecord], Field(alias="onaylar")]
    wrote: Annotated[list[WroteRecord], Field(alias="gelen")]
    seen: Annotated[list[SeenRecord], Field(alias="sohbetler")]
    checks: Annotated[list[CheckRecord], Field(alias="numara_kontrol")]
    drafts: Annotated[int, Field(alias="taslak")]
    hold: Annotated[HoldRecord | None, Field(alias="yasal_saklama")]


class DossierAnswer(Done):
    """`GET /kisiler/{telefon}`."""

    data: DossierRecord


class ErasureRecord(Answered):
    """What an erasure took.

    `kalinti`: unused space of the database may still show traces until the night's work. `kopyalar`: older copies of
    the database in the data folder, which still hold the person.
    """

    messages: Annotated[int, Field(alias="mesaj")]
    refusals: Annotated[int, Field(alias="ret")]
    files: Annotated[int, Field(alias="dosya")]
    others: Annotated[int, Field(alias="diger")]
    has_traces: Annotated[bool, Field(alias="kalinti")]
    copies: Annotated[list[str], Field(alias="kopyalar")]


class ErasureAnswer(Done):
    """`DELETE /kisiler/{telefon}`."""

    data: ErasureRecord


class HoldAnswer(Done):
    """`POST /kisiler/{telefon}/saklama`."""

    data: HoldRecord


class AuditRecord(Answered):
    """One thing that somebody did. `kim`: the name of the key or of the person; null: the gateway itself."""

    id: int
    at: Annotated[ClockTime, Field(alias="zaman")]
    at_iso: Annotated[IsoTime, Field(alias="zaman_iso")]
    what: Annotated[str, Field(alias="ne")]
    about: Annotated[str | None, Field(alias="konu")]
    who: Annotated[str | None, Field(alias="kim")]
    token_id: Annotated[int | None, Field(alias="anahtar_id")]
    way: Annotated[Way, Field(alias="yol")]
    address: Annotated[str | None, Field(alias="adres")]
    detail: Annotated[dict[str, Any], Field(alias="ayrinti")]


class AuditPage(Done):
    """A page of the audit, newest first."""

    data: list[AuditRecord]
    next: Annotated[str | None, Field(alias="sonraki")]


class DestructionRecord(Answered):
    """One destruction: when, why and how much; never of whom."""

    id: int
    began_at: Annotated[ClockTime, Field(alias="baslangic")]
    ended_at: Annotated[ClockTime | None, Field(alias="bitis")]
    cause: Annotated[Cause, Field(alias="neden")]
    texts: Annotated[int, Field(alias="metin")]
    records: Annotated[int, Field(alias="kayit")]
    files: Annotated[int, Field(alias="dosya")]
    others: Annotated[int, Field(alias="diger")]


class DestructionPage(Done):
    """A page of the log of destructions, newest first."""

    data: list[DestructionRecord]
    next: Annotated[str | None, Field(alias="sonraki")]
