"""What is answered about lines: linking them, their health, and what they know of numbers."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from guvercin.api.answers.accounts import Action, LineStatus
from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime
from guvercin.core.errors import Code
from guvercin.core.message import WaitsFor
from guvercin.core.restriction import RestrictionKind
from guvercin.locale import sentence

LinkProgress: TypeAlias = Literal["yok", "hazirlaniyor", "gosteriliyor", "baglandi", "suresi_doldu", "olmadi"]


class LinkRecord(Answered):
    """How the linking of a phone stands. `qr` or `kod` is there while it may be shown, until `gecerlilik`."""

    state: Annotated[LinkProgress, Field(alias="durum")]
    qr: str | None
    code: Annotated[str | None, Field(alias="kod")]
    valid_until: Annotated[ClockTime | None, Field(alias="gecerlilik")]
    valid_until_iso: Annotated[IsoTime | None, Field(alias="gecerlilik_iso")]
    phone: Annotated[str | None, Field(alias="telefon")]
    is_default: Annotated[bool, Field(alias="varsayilan")]
    reason: Annotated[str | None, Field(alias="neden")]


class LinkAnswer(Done):
    """`POST|GET /hesaplar/{id}/bagla`."""

    data: LinkRecord


class LimitUseRecord(Answered):
    """One limit of an account, and how much of it is used now. Windows slide: «gunluk» is the last 24 hours."""

    name: Annotated[WaitsFor, Field(alias="ad")]
    counts: Annotated[Literal["hepsi", "mevcut", "yeni"], Field(alias="sayilan")]
    hours: Annotated[int, Field(alias="saat", description=sentence("The length of its window."))]
    used: Annotated[int, Field(alias="kullanilan")]
    most: Annotated[int, Field(alias="sinir")]


class RestrictionRecord(Answered):
    """What WhatsApp has closed, and until when (null: until you decide)."""

    what: Annotated[RestrictionKind, Field(alias="konu")]
    code: Annotated[Code, Field(alias="kod")]
    until: Annotated[ClockTime | None, Field(alias="bitis")]


class HealthRecord(Answered):
    """A line as it is this moment: it was asked, not remembered."""

    id: int
    status: Annotated[LineStatus, Field(alias="durum")]
    is_alive: Annotated[bool, Field(alias="canli", description=sentence("It was asked just now, and takes sends."))]
    looked_at: Annotated[ClockTime, Field(alias="bakildi")]
    code: Annotated[str | None, Field(alias="kod")]
    action: Annotated[Action | None, Field(alias="eylem")]
    since: Annotated[ClockTime, Field(alias="bu_yana")]
    until: Annotated[ClockTime | None, Field(alias="bitis")]
    until_iso: Annotated[IsoTime | None, Field(alias="bitis_iso")]
    connected_at: Annotated[ClockTime | None, Field(alias="son_baglanti")]
    limits: Annotated[
        list[LimitUseRecord], Field(alias="sinirlar", description=sentence("Empty for an account without limits."))
    ]
    warm_days: Annotated[
        int | None,
        Field(
            alias="isinma_gunu",
            description=sentence("Days with traffic both ways since it was linked; from 20 on it is warm."),
        ),
    ]
    restrictions: Annotated[list[RestrictionRecord], Field(alias="kisitlar")]


class HealthAnswer(Done):
    """`GET /hesaplar/{id}/saglik`."""

    data: HealthRecord


class LookupRecord(Answered):
    """Whether a number is on WhatsApp."""

    phone: Annotated[str, Field(alias="telefon")]
    is_registered: Annotated[bool, Field(alias="whatsappta")]
    account_id: Annotated[int, Field(alias="hesap_id")]


class LookupAnswer(Done):
    """`GET /numara-kontrol`."""

    data: LookupRecord


class UnclearRecord(Answered):
    """Something that the network told and nobody understood. `govde` is its beginning, as it came."""

    at: Annotated[ClockTime, Field(alias="zaman")]
    at_iso: Annotated[IsoTime, Field(alias="zaman_iso")]
    what: Annotated[str, Field(alias="ne")]
    body: Annotated[str, Field(alias="govde")]


class UnclearList(Done):
    """`GET /hesaplar/{id}/anlasilmayanlar`."""

    data: list[UnclearRecord]
