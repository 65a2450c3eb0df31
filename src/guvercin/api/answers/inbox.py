"""What is answered about the inbox."""

from typing import Annotated

from pydantic import Field

from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime
from guvercin.core.inbound import InboundKind


class InboxMedia(Answered):
    """What is known of a file that came with a message; null is what the network didn't say.

    `dosya_url` is where the file is fetched from, a path of this API; null: it can't be had any more.
    """

    type: Annotated[str | None, Field(alias="tur")]
    name: Annotated[str | None, Field(alias="ad")]
    size: Annotated[int | None, Field(alias="boyut")]
    url: Annotated[str | None, Field(alias="dosya_url")]


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
