"""What is answered about accounts and their pace."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime, is_absent
from guvercin.core.account import Kind, OnUnknown
from guvercin.core.presets import Preset
from guvercin.locale import sentence


class AccountRemoved(Done):
    """The account is gone. `uyari` telefonda_kaldi: its phone could not be told and still lists this device."""

    warning: Annotated[str | None, Field(alias="uyari")]


LineStatus: TypeAlias = Literal["connected", "connecting", "pairing", "banned", "disconnected"]

Action: TypeAlias = Literal["bekle", "bagla", "devam", "telefona_bak", "guncelle", "metaya_bak"]


class AccountRow(Answered):
    """An account as the list shows it. `eylem` names what a person has to do: null means nothing."""

    id: int
    name: Annotated[str, Field(alias="isim")]
    phone: Annotated[str | None, Field(alias="telefon")]
    status: Annotated[LineStatus, Field(alias="durum")]
    is_default: Annotated[bool, Field(alias="varsayilan")]
    kind: Annotated[Kind, Field(alias="tur")]
    code: Annotated[str | None, Field(alias="kod")]
    action: Annotated[Action | None, Field(alias="eylem")]
    connected_at: Annotated[ClockTime | None, Field(alias="son_baglanti")]


class AccountList(Done):
    """`GET /hesaplar`."""

    data: list[AccountRow]


class GapRecord(Answered):
    """The space before a send, in seconds."""

    least: Annotated[float, Field(alias="en_az")]
    most: Annotated[float, Field(alias="en_cok")]


class GapRecords(Answered):
    """The space before a send of each class."""

    single: Annotated[GapRecord, Field(alias="tekli")]
    bulk: Annotated[GapRecord, Field(alias="toplu")]
    known: Annotated[GapRecord | None, Field(alias="tanidik", exclude_if=is_absent)] = None
    new: Annotated[GapRecord | None, Field(alias="yeni", exclude_if=is_absent)] = None


class CapsRecord(Answered):
    """The most within one window."""

    all: Annotated[int, Field(alias="hepsi")]
    existing: Annotated[int, Field(alias="mevcut")]
    new: Annotated[int, Field(alias="yeni")]


class LimitRecords(Answered):
    """How many may leave."""

    hourly: Annotated[CapsRecord | None, Field(alias="saatlik")]
    daily: Annotated[CapsRecord | None, Field(alias="gunluk")]
    monthly_new: Annotated[int | None, Field(alias="aylik_yeni")]


class AccountRecord(AccountRow):
    """An account with what its owner may change."""

    is_enabled: Annotated[bool, Field(alias="acik")]
    gaps: Annotated[GapRecords, Field(alias="araliklar")]
    preset: Annotated[
        Preset | None,
        Field(alias="hiz", description=sentence("The name of its pace; null for one of your own, or none.")),
    ]
    limits: Annotated[
        LimitRecords | None,
        Field(alias="sinirlar", description=sentence("Null for an account without limits, like the sandbox.")),
    ]
    keeps_quiet: Annotated[bool, Field(alias="sessiz_saat")]
    on_unknown: Annotated[OnUnknown, Field(alias="belirsiz")]
    keeps_notices: Annotated[bool, Field(alias="islem_bildirimleri")]
    sender_title: Annotated[str | None, Field(alias="gonderen_unvani")]
    repeat_guard_hours: Annotated[int | None, Field(alias="mukerrer_saat")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]


class AccountAnswer(Done):
    """One account."""

    data: AccountRecord
