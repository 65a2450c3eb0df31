"""What we answer: the models of every success body, with English attributes and Turkish names on the wire.

Laws
1. The seed's keys come first, in the seed's order; keys of ours follow and only where the contract has them.
2. A time is wall-clock time of the configured zone (`2026-02-23 14:30:00`); where the contract has a twin
   `<name>_iso`, it carries the offset. What hasn't happened yet is null, never an invented time.
3. A key is there or not by the kind of answer, never by the value: null is a value.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from guvercin.api.wire import ListedStatus, Urgency
from guvercin.core.account import Kind, OnUnknown
from guvercin.core.call import CallTrouble
from guvercin.core.consent import ConsentSource, RecipientKind
from guvercin.core.errors import Code
from guvercin.core.hook import CloseReason, DeliveryState, HookEvent, HookState
from guvercin.core.inbound import InboundKind
from guvercin.core.message import WaitsFor
from guvercin.core.optout import OptOutScope, OptOutSource
from guvercin.core.presets import Preset
from guvercin.core.restriction import RestrictionKind
from guvercin.gateway.rehearsal import Fate
from guvercin.locale import sentence

ClockTime = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$")]
IsoTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Answered(BaseModel):
    """A part of an answer. Built by attribute names, written and documented by wire names."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,  # a model is made ready by its first answer: most of them are never given between two starts
    )


class Done(Answered):
    """It was done; there is nothing to tell."""

    ok: Literal[True]


class AccountRemoved(Done):
    """The account is gone. `uyari` telefonda_kaldi: its phone could not be told and still lists this device."""

    warning: Annotated[str | None, Field(alias="uyari")]


class MessageSent(Done):
    """WhatsApp has the message: the seed's answer of `gonder` and `dosya-gonder`."""

    log_id: int
    message_id: str | None


def _is_absent(value: object) -> bool:
    return value is None


class MessageStanding(MessageSent):
    """The message is stored and WhatsApp has not acknowledged it yet: where it stands, and what it waits for."""

    status: Annotated[ListedStatus, Field(alias="durum")]
    reason: Annotated[
        str | None,
        Field(
            alias="neden",
            exclude_if=_is_absent,
            description=sentence("Why it doesn't leave now, where something stands in its way."),
        ),
    ] = None
    waits_until: Annotated[
        ClockTime | None,
        Field(
            alias="neden_bitis",
            exclude_if=_is_absent,
            description=sentence("When the wait that neden names ends, where it ends by itself."),
        ),
    ] = None


class BatchSent(Done):
    """A finished batch: the seed's answer of `toplu-gonder`. total = sent + failed (+ queued), always."""

    total: int
    sent: int
    failed: int


class BatchStanding(BatchSent):
    """A batch that is not finished yet."""

    queued: int
    batch_id: Annotated[int, Field(alias="toplu_id")]
    status_url: Annotated[str, Field(alias="durum_url")]
    finish_at: Annotated[ClockTime | None, Field(alias="tahmini_bitis")]


class MessageStatus(Answered):
    """What `durum/{logId}` tells of a message."""

    id: int
    status: Annotated[ListedStatus, Field(alias="durum")]
    recipient: Annotated[str, Field(alias="alici")]
    sent_at: Annotated[ClockTime | None, Field(alias="gonderim_zamani")]
    sent_at_iso: Annotated[IsoTime | None, Field(alias="gonderim_zamani_iso")]
    message_id: str | None
    reason: Annotated[str | None, Field(alias="neden")]
    delivered_at: Annotated[ClockTime | None, Field(alias="iletim_zamani")]
    read_at: Annotated[ClockTime | None, Field(alias="okunma_zamani")]
    name: Annotated[str | None, Field(alias="isim")]
    category: Annotated[int, Field(alias="tur_id")]
    account_id: Annotated[int, Field(alias="hesap_id")]
    batch_id: Annotated[int | None, Field(alias="toplu_id")]
    reference: Annotated[str | None, Field(alias="referans")]
    attempts: Annotated[int, Field(alias="deneme_sayisi")]
    is_sandbox: Annotated[Literal[True] | None, Field(alias="deneme", exclude_if=_is_absent)] = None
    waits_until: Annotated[
        ClockTime | None,
        Field(
            alias="neden_bitis",
            exclude_if=_is_absent,
            description=sentence("When the wait that neden names ends, where it ends by itself."),
        ),
    ] = None


class MessageStatusAnswer(Done):
    """`GET /durum/{logId}`."""

    data: MessageStatus


class MessageRecord(MessageStatus):
    """A message as the log shows it."""

    text: Annotated[str | None, Field(alias="mesaj")]
    file_name: Annotated[str | None, Field(alias="dosya_adi")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]
    planned_at: Annotated[ClockTime | None, Field(alias="planlanan_zaman")]
    planned_at_iso: Annotated[IsoTime | None, Field(alias="planlanan_zaman_iso")]
    expires_at: Annotated[ClockTime, Field(alias="son_zaman")]
    expires_at_iso: Annotated[IsoTime, Field(alias="son_zaman_iso")]
    warning: Annotated[str | None, Field(alias="uyari")]
    resend_of: Annotated[int | None, Field(alias="asil_log_id")]


class MessagePage(Done):
    """`GET /gonderimler`: one page, newest first; `sonraki` asks for the next one."""

    data: list[MessageRecord]
    next: Annotated[str | None, Field(alias="sonraki")]


class AttemptRecord(Answered):
    """One hand-over to WhatsApp."""

    started_at: Annotated[ClockTime, Field(alias="baslangic")]
    ended_at: Annotated[ClockTime | None, Field(alias="bitis")]
    outcome: Annotated[str | None, Field(alias="sonuc")]
    reason: Annotated[str | None, Field(alias="neden")]
    detail: Annotated[str | None, Field(alias="ayrinti")]


class EventRecord(Answered):
    """One thing that happened to a message."""

    at: Annotated[ClockTime, Field(alias="zaman")]
    kind: Annotated[str, Field(alias="olay")]
    detail: Annotated[dict[str, Any], Field(alias="ayrinti")]


class MessageHistory(MessageRecord):
    """A message with its timeline."""

    tries: Annotated[list[AttemptRecord], Field(alias="denemeler")]
    events: Annotated[list[EventRecord], Field(alias="olaylar")]


class MessageHistoryAnswer(Done):
    """`GET /gonderimler/{log_id}`."""

    data: MessageHistory


class Cancelled(Done):
    """`POST /iptal`: how many rows were withdrawn."""

    count: Annotated[int, Field(alias="adet")]


class BatchGroups(Answered):
    """The rows of a batch by state; every row stands in exactly one."""

    queued: int
    scheduled: int
    sending: int
    unknown: int
    sent: int
    delivered: int
    read: int
    failed: int
    cancelled: int


class BatchRecord(Answered):
    """A batch, counted from its rows."""

    id: int
    status: Annotated[Literal["running", "paused", "cancelled", "finished"], Field(alias="durum")]
    total: int
    sent: int
    failed: int
    queued: int
    groups: Annotated[BatchGroups, Field(alias="dagilim")]
    finish_at: Annotated[ClockTime | None, Field(alias="tahmini_bitis")]
    finish_at_iso: Annotated[IsoTime | None, Field(alias="tahmini_bitis_iso")]
    reason: Annotated[str | None, Field(alias="neden")]
    account_id: Annotated[int, Field(alias="hesap_id")]
    category: Annotated[int, Field(alias="tur_id")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]
    is_sandbox: Annotated[Literal[True] | None, Field(alias="deneme", exclude_if=_is_absent)] = None
    waits_until: Annotated[
        ClockTime | None,
        Field(
            alias="neden_bitis",
            exclude_if=_is_absent,
            description=sentence("When the wait that neden names ends, where it ends by itself."),
        ),
    ] = None


class BatchPage(Done):
    """`GET /toplu`."""

    data: list[BatchRecord]
    after: Annotated[str | None, Field(alias="sonraki")]


class BatchAnswer(Done):
    """`GET /toplu/{id}`."""

    data: BatchRecord


class RowVerdict(Answered):
    """What there is to say of one row of a list. `engel`: while it is there, the whole request is refused."""

    line: Annotated[int, Field(alias="satir")]
    recipient: Annotated[str, Field(alias="alici")]
    fate: Annotated[Fate, Field(alias="sonuc")]
    code: Annotated[str, Field(alias="kod")]
    message: Annotated[str, Field(alias="mesaj")]
    remedy: Annotated[str, Field(alias="cozum")]
    stops_all: Annotated[bool, Field(alias="engel")]


class WaitRecord(Answered):
    """What rows of a list would wait for on their way, and for how long, beyond the gaps between messages."""

    reason: Annotated[WaitsFor, Field(alias="neden")]
    seconds: Annotated[int, Field(alias="sure_sn")]


class Rehearsed(Done):
    """`POST /toplu/on-kontrol`: total = gonderilecek + hatali + mukerrer, always."""

    total: int
    sent: Annotated[int, Field(alias="gonderilecek")]
    bad: Annotated[int, Field(alias="hatali")]
    repeated: Annotated[int, Field(alias="mukerrer")]
    is_acceptable: Annotated[
        bool, Field(alias="kabul_edilir", description=sentence("false: toplu-gonder would refuse the list as it is."))
    ]
    sample: Annotated[
        str | None, Field(alias="ornek", description=sentence("The text of the first good row, as it will be read."))
    ]
    seconds: Annotated[int, Field(alias="sure_sn", description=sentence("How long it takes, in seconds."))]
    finish_at: Annotated[ClockTime | None, Field(alias="tahmini_bitis")]
    finish_at_iso: Annotated[IsoTime | None, Field(alias="tahmini_bitis_iso")]
    too_late: Annotated[
        int,
        Field(
            alias="suresi_yetmeyen",
            description=sentence("How many would not leave before their time is over (gecerlilik_dk)."),
        ),
    ]
    account_id: Annotated[int, Field(alias="hesap_id")]
    warning: Annotated[str | None, Field(alias="uyari")]
    rows: Annotated[
        list[RowVerdict],
        Field(
            alias="satirlar",
            description=sentence("The rows that are not plainly good, the first 1000 of them, in the list's order."),
        ),
    ]
    untold: Annotated[int, Field(alias="gosterilmeyen", description=sentence("How many more such rows there are."))]
    reason: Annotated[
        WaitsFor | None, Field(alias="neden", description=sentence("Why the first of them would not leave now."))
    ]
    waits_until: Annotated[
        ClockTime | None, Field(alias="neden_bitis", description=sentence("When the wait that neden names ends."))
    ]
    waits: Annotated[
        list[WaitRecord],
        Field(
            alias="bekleyisler",
            description=sentence("What they would wait for until the last has left, the longest first."),
        ),
    ]


class ReadColumns(Answered):
    """Which column of a list was taken for what, by its head; null: none."""

    phone: Annotated[str | None, Field(alias="telefon")]
    name: Annotated[str | None, Field(alias="isim")]
    surname: Annotated[str | None, Field(alias="soyisim")]
    reference: Annotated[str | None, Field(alias="referans")]


class ListRead(Rehearsed):
    """`POST /toplu/dosya`."""

    draft_id: Annotated[
        str | None,
        Field(
            alias="taslak_id",
            description=sentence(
                "Starts the bulk: POST /toplu/taslak/ID/baslat. null: the list can't be sent as it is."
            ),
        ),
    ]
    kept_until: Annotated[ClockTime | None, Field(alias="gecerlilik")]
    heads: Annotated[list[str], Field(alias="basliklar")]
    columns: Annotated[ReadColumns, Field(alias="sutunlar")]
    places: Annotated[
        list[str], Field(alias="degiskenler", description=sentence("The columns that can fill places of the text."))
    ]
    is_scarred: Annotated[
        bool,
        Field(
            alias="bozuk_harf",
            description=sentence(
                "Some letters look broken (Þ, ý, ð): the file was saved with a wrong encoding before."
            ),
        ),
    ]


LineStatus: TypeAlias = Literal["connected", "connecting", "pairing", "banned", "disconnected"]
Action: TypeAlias = Literal["bekle", "bagla", "devam", "telefona_bak", "guncelle", "metaya_bak"]
LinkProgress: TypeAlias = Literal["yok", "hazirlaniyor", "gosteriliyor", "baglandi", "suresi_doldu", "olmadi"]


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
    known: Annotated[GapRecord | None, Field(alias="tanidik", exclude_if=_is_absent)] = None
    new: Annotated[GapRecord | None, Field(alias="yeni", exclude_if=_is_absent)] = None


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


class HookRecord(Answered):
    """One webhook. Its secret is not here: it was shown once."""

    id: int
    url: str
    events: Annotated[list[HookEvent], Field(alias="olaylar")]
    status: Annotated[HookState, Field(alias="durum")]
    accounts: Annotated[
        list[int] | None, Field(alias="hesaplar", description=sentence("The accounts that it hears of; null: all."))
    ]
    reason: Annotated[CloseReason | None, Field(alias="neden", description=sentence("Why it is closed."))]
    failing_since: Annotated[ClockTime | None, Field(alias="hata_baslangici")]
    delivered_at: Annotated[ClockTime | None, Field(alias="son_iletim")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]


class Succeeded(Answered):
    """It was done, in the envelope of the addresses beside `/whatsapp`."""

    success: Literal[True]


class HookList(Succeeded):
    """`GET /webhooks`."""

    data: list[HookRecord]


class HookAnswer(Succeeded):
    """One webhook."""

    data: HookRecord


class NewHookRecord(Answered):
    """A webhook that was just made or renewed: the only answer with its secret."""

    id: int
    url: str
    events: Annotated[list[HookEvent], Field(alias="olaylar")]
    secret: Annotated[str, Field(description=sentence("What signs. Keep it now: it is not shown again."))]


class NewHookAnswer(Succeeded):
    """`POST /webhooks`, `POST /webhooks/{id}/secret`."""

    data: NewHookRecord
    message: str


class SucceededWith(Succeeded):
    """It was done; here is a sentence about it."""

    message: str


class TrialRecord(Answered):
    """A delivery that was only tried."""

    is_taken: Annotated[bool, Field(alias="kabul")]
    status: Annotated[int | None, Field(alias="http", description=sentence("The HTTP status that came back."))]
    reason: Annotated[CallTrouble | None, Field(alias="neden")]
    message: Annotated[str | None, Field(alias="mesaj")]
    took_ms: Annotated[int, Field(alias="sure_ms")]
    sent: Annotated[str, Field(alias="giden", description=sentence("The body that was sent."))]
    answered: Annotated[
        str | None,
        Field(alias="gelen", description=sentence("The beginning of the answer; none of a private address.")),
    ]


class TrialAnswer(Succeeded):
    """`POST /webhooks/{id}/dene`."""

    data: TrialRecord


class DeliveryRecord(Answered):
    """One event on its way to a webhook. Times and results are there only if it wasn't simply delivered at once."""

    id: int
    kind: Annotated[HookEvent, Field(alias="olay")]
    name: Annotated[str, Field(alias="webhook_id", description=sentence("The header webhook-id, at every try."))]
    at: Annotated[ClockTime, Field(alias="zaman")]
    status: Annotated[DeliveryState, Field(alias="durum")]
    attempts: Annotated[int, Field(alias="deneme_sayisi")]
    tried_at: Annotated[ClockTime | None, Field(alias="son_deneme")]
    next_at: Annotated[ClockTime | None, Field(alias="sonraki_deneme")]
    http: int | None
    reason: Annotated[CallTrouble | None, Field(alias="neden")]
    took_ms: Annotated[int | None, Field(alias="sure_ms")]
    log_id: int | None
    batch_id: Annotated[int | None, Field(alias="toplu_id")]
    account_id: Annotated[int | None, Field(alias="hesap_id")]


class DeliveryPage(Succeeded):
    """`GET /webhooks/{id}/bildirimler`."""

    data: list[DeliveryRecord]
    next: Annotated[str | None, Field(alias="sonraki")]


class PassRecord(Answered):
    """A sign-in for a day."""

    token: str
    expires_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    token_type: Literal["Bearer"]


class PassAnswer(Succeeded):
    """`POST /auth/token`."""

    data: PassRecord


class ToldEvent(Answered):
    """What happened, as a webhook has it in its body; `id` is its webhook-id."""

    id: str
    type: HookEvent
    timestamp: IsoTime
    data: dict[str, Any]


class EventFeed(Done):
    """`GET /olaylar`. `sonraki` is always there: the place from which to go on."""

    data: list[ToldEvent]
    next: Annotated[str, Field(alias="sonraki")]


class UploadAnswer(Done):
    """`POST /dosyalar`."""

    id: Annotated[str, Field(alias="dosya_id")]
    name: Annotated[str, Field(alias="dosya_adi")]
    media_type: Annotated[str, Field(alias="dosya_turu")]
    size: Annotated[int, Field(alias="boyut", description=sentence("Bytes."))]


class CategoryRow(Answered):
    """One kind of message and the rules that it follows."""

    id: int
    code: Annotated[str, Field(alias="kod")]
    name: Annotated[str, Field(alias="ad")]
    is_commercial: Annotated[bool, Field(alias="ticari")]
    keeps_quiet_hours: Annotated[bool, Field(alias="sessiz_saat")]
    lifetime_minutes: Annotated[int, Field(alias="gecerlilik_dk")]
    level: Annotated[Urgency, Field(alias="oncelik")]


class CategoryList(Done):
    """`GET /turler`."""

    data: list[CategoryRow]


class CategoryAnswer(Done):
    """`PUT /turler/{id}`."""

    data: CategoryRow


class OptOutRecord(Answered):
    """One refusal. `bitis_zamani` null: it holds."""

    id: int
    phone: Annotated[str, Field(alias="telefon")]
    scope: Annotated[OptOutScope, Field(alias="kapsam")]
    source: Annotated[OptOutSource, Field(alias="kaynak")]
    account_id: Annotated[int | None, Field(alias="hesap_id")]
    said: Annotated[str | None, Field(alias="yazdigi")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]
    ended_at: Annotated[ClockTime | None, Field(alias="bitis_zamani")]
    ended_by: Annotated[OptOutSource | None, Field(alias="bitiren")]
    ended_why: Annotated[str | None, Field(alias="bitis_nedeni")]


class OptOutAnswer(Done):
    """One refusal."""

    data: OptOutRecord


class OptOutPage(Done):
    """A page of refusals, newest first."""

    data: list[OptOutRecord]
    next: Annotated[str | None, Field(alias="sonraki")]


class InboxMedia(Answered):
    """What is known of a file that came with a message; null is what the network didn't say."""

    type: Annotated[str | None, Field(alias="tur")]
    name: Annotated[str | None, Field(alias="ad")]
    size: Annotated[int | None, Field(alias="boyut")]


class InboxRecord(Answered):
    """One message that came in. `metin` null: it was erased."""

    id: int
    account_id: Annotated[int, Field(alias="hesap_id")]
    sender: Annotated[str, Field(alias="gonderen")]
    sender_name: Annotated[str | None, Field(alias="isim")]
    kind: Annotated[InboundKind, Field(alias="tip")]
    text: Annotated[str | None, Field(alias="metin")]
    media: Annotated[InboxMedia | None, Field(alias="medya")]
    message_id: str
    wrote_at: Annotated[ClockTime, Field(alias="zaman")]
    wrote_at_iso: Annotated[IsoTime, Field(alias="zaman_iso")]
    received_at: Annotated[ClockTime, Field(alias="alinma_zamani")]
    received_at_iso: Annotated[IsoTime, Field(alias="alinma_zamani_iso")]
    is_read: Annotated[bool, Field(alias="okundu")]
    read_at: Annotated[ClockTime | None, Field(alias="okunma_zamani")]


class InboxAnswer(Done):
    """One message that came in."""

    data: InboxRecord


class InboxPage(Done):
    """A page of what came in, newest first. `okunmamis`: how many nobody has read, of all that the token sees."""

    data: list[InboxRecord]
    unread: Annotated[int, Field(alias="okunmamis")]
    next: Annotated[str | None, Field(alias="sonraki")]


class ConsentRecord(Answered):
    """One consent to be advertised to."""

    id: int
    phone: Annotated[str, Field(alias="telefon")]
    recipient_kind: Annotated[RecipientKind, Field(alias="alici_turu")]
    consent_source: Annotated[ConsentSource, Field(alias="onay_kaynagi")]
    given_at: Annotated[ClockTime, Field(alias="onay_zamani")]
    given_at_iso: Annotated[IsoTime, Field(alias="onay_zamani_iso")]
    text_version: Annotated[str | None, Field(alias="metin_surumu")]
    proof_name: Annotated[str | None, Field(alias="kanit_dosya_adi")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]


class ConsentAnswer(Done):
    """One consent."""

    data: ConsentRecord


class ConsentPage(Done):
    """A page of consents, newest first."""

    data: list[ConsentRecord]
    next: Annotated[str | None, Field(alias="sonraki")]


class Alive(Done):
    """`GET /saglik`."""

    version: Annotated[str, Field(alias="surum")]


def kinds() -> Iterator[type[Answered]]:
    """Answer every model of an answer or of a part of one."""
    return _below(Answered)


def _below(model: type[Answered]) -> Iterator[type[Answered]]:
    for child in model.__subclasses__():
        yield child
        yield from _below(child)
