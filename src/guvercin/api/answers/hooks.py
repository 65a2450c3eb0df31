"""What is answered about webhooks, their deliveries and the feed of events."""

from typing import Annotated, Any

from pydantic import Field

from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime, Succeeded
from guvercin.core.call import CallTrouble
from guvercin.core.hook import CloseReason, DeliveryState, HookEvent, HookState
from guvercin.locale import sentence


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
