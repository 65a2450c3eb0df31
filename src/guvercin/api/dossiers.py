"""What we answer about people's rights and about who did what: the models, and how they are filled."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Any

from pydantic import Field

from guvercin.api import render
from guvercin.api.answers import Answered, ClockTime, ConsentRecord, Done, IsoTime, MessageHistory, OptOutRecord
from guvercin.api.render import clock_time, iso_time
from guvercin.api.wishes import consent_record, opt_out_record
from guvercin.core.audit import Entry, Way
from guvercin.core.rights import Cause, Destruction, Dossier, Hold
from guvercin.gateway.requests import History
from guvercin.gateway.rights import Erasure


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


def dossier(found: Dossier, zone: tzinfo, *, sandboxes: frozenset[int]) -> DossierAnswer:
    """Answer everything that is held of a number."""
    held = []
    for told in found.messages:
        history = History(
            message=told.message,
            is_sandbox=told.message.account_id in sandboxes,
            attempts=told.attempts,
            events=told.events,
        )
        shown = render.message_history(history, zone).data
        held.append(HeldMessage(**dict(shown), variables=dict(told.message.variables or {})))
    record = DossierRecord(
        phone=found.phone,
        messages=held,
        refusals=[opt_out_record(each, zone) for each in found.refusals],
        consents=[consent_record(each, zone) for each in found.consents],
        wrote=[
            WroteRecord(account_id=each.account_id, at=clock_time(each.at, zone), name=each.name, text=each.text)
            for each in found.wrote
        ],
        seen=[
            SeenRecord(
                account_id=each.account_id,
                wrote_at=_clock(each.wrote_at, zone),
                written_at=_clock(each.written_at, zone),
            )
            for each in found.seen
        ],
        checks=[
            CheckRecord(account_id=each.account_id, is_registered=each.is_registered, at=_clock(each.at, zone))
            for each in found.checks
        ],
        drafts=found.drafts,
        hold=None if found.hold is None else _hold(found.hold, zone),
    )
    return DossierAnswer(ok=True, data=record)


def erasure(done: Erasure) -> ErasureAnswer:
    """Answer what an erasure took."""
    record = ErasureRecord(
        messages=done.forgotten.messages,
        refusals=done.forgotten.refusals,
        files=done.files,
        others=done.forgotten.others,
        has_traces=done.has_traces,
        copies=list(done.copies),
    )
    return ErasureAnswer(ok=True, data=record)


def hold_answer(found: Hold, zone: tzinfo) -> HoldAnswer:
    """Answer a hold."""
    return HoldAnswer(ok=True, data=_hold(found, zone))


def audit_page(found: Sequence[Entry], after: str | None, zone: tzinfo) -> AuditPage:
    """Answer a page of the audit."""
    records = [
        AuditRecord(
            id=each.id,
            at=clock_time(each.at, zone),
            at_iso=iso_time(each.at, zone),
            what=each.what,
            about=each.about,
            who=each.who,
            token_id=each.token_id,
            way=each.way,
            address=each.address,
            detail=_plain(each.detail),
        )
        for each in found
    ]
    return AuditPage(ok=True, data=records, next=after)


def destruction_page(found: Sequence[Destruction], after: str | None, zone: tzinfo) -> DestructionPage:
    """Answer a page of the log of destructions."""
    records = [
        DestructionRecord(
            id=each.id,
            began_at=clock_time(each.began_at, zone),
            ended_at=_clock(each.ended_at, zone),
            cause=each.cause,
            texts=each.texts,
            records=each.records,
            files=each.files,
            others=each.others,
        )
        for each in found
    ]
    return DestructionPage(ok=True, data=records, next=after)


def _hold(found: Hold, zone: tzinfo) -> HoldRecord:
    return HoldRecord(why=found.why, since=clock_time(found.since, zone))


def _clock(at: datetime | None, zone: tzinfo) -> str | None:
    return None if at is None else clock_time(at, zone)


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    return dict(detail)
