"""What is answered about messages."""

from typing import Annotated, Any, Literal

from pydantic import Field

from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime, is_absent
from guvercin.api.wire.messages import ListedStatus
from guvercin.locale import sentence


class MessageSent(Done):
    """WhatsApp has the message: the seed's answer of `gonder` and `dosya-gonder`."""

    log_id: int
    message_id: str | None


class MessageStanding(MessageSent):
    """The message is stored and WhatsApp has not acknowledged it yet: where it stands, and what it waits for."""

    status: Annotated[ListedStatus, Field(alias="durum")]
    reason: Annotated[
        str | None,
        Field(
            alias="neden",
            exclude_if=is_absent,
            description=sentence("Why it doesn't leave now, where something stands in its way."),
        ),
    ] = None
    waits_until: Annotated[
        ClockTime | None,
        Field(
            alias="neden_bitis",
            exclude_if=is_absent,
            description=sentence("When the wait that neden names ends, where it ends by itself."),
        ),
    ] = None


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
    is_sandbox: Annotated[Literal[True] | None, Field(alias="deneme", exclude_if=is_absent)] = None
    waits_until: Annotated[
        ClockTime | None,
        Field(
            alias="neden_bitis",
            exclude_if=is_absent,
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
