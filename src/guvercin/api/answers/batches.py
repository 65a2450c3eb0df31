"""What is answered about batches, and about lists before they are sent."""

from typing import Annotated, Literal

from pydantic import Field

from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime, is_absent
from guvercin.core.message import WaitsFor
from guvercin.gateway.rehearsal import Fate
from guvercin.locale import sentence


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
    is_sandbox: Annotated[Literal[True] | None, Field(alias="deneme", exclude_if=is_absent)] = None
    waits_until: Annotated[
        ClockTime | None,
        Field(
            alias="neden_bitis",
            exclude_if=is_absent,
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
