"""What is asked about webhooks, their deliveries and the feed of events."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictStr

from guvercin.api.wire.ground import LARGEST_INTEGER, MOMENT, Asked, read_float, read_moment
from guvercin.core.address import LONGEST_URL
from guvercin.core.hook import HookEvent
from guvercin.locale import sentence

_Url = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_URL, pattern=r"^https?://[!-~]+$")]

_Events = Annotated[list[HookEvent], Field(min_length=1, max_length=50)]

_Accounts = Annotated[
    list[Annotated[int, Field(strict=True, ge=1, le=LARGEST_INTEGER), BeforeValidator(read_float)]],
    Field(min_length=1, max_length=100),
]

_URL = sentence("Where it is delivered to: https, on port 443 or 8443, at a public address.")

_EVENTS = sentence("What it wants to hear.")

_ACCOUNTS = sentence("The accounts that it hears of; without it, all that the token sees.")

HookSecret = Annotated[
    Annotated[StrictStr, Field(max_length=200, pattern=r"^whsec_[A-Za-z0-9+/]+=*$")] | None,
    Field(
        alias="secret",
        description=sentence("The secret that signs (whsec_ and base64); without it, one is made and shown once."),
    ),
]


class AddWebhook(Asked):
    """`POST /webhooks`."""

    url: Annotated[_Url, Field(description=_URL)]
    events: Annotated[_Events, Field(alias="olaylar", description=_EVENTS)]
    secret: HookSecret = None
    accounts: Annotated[_Accounts | None, Field(alias="hesaplar", description=_ACCOUNTS)] = None


class WebhookOpen(StrEnum):
    """What an owner decides about a webhook as a whole."""

    ACTIVE = "aktif"
    CLOSED = "kapali"


class ChangeWebhook(Asked):
    """`PATCH /webhooks/{id}`: what is absent or null stays as it is."""

    url: Annotated[_Url | None, Field(description=_URL)] = None
    events: Annotated[_Events | None, Field(alias="olaylar", description=_EVENTS)] = None
    accounts: Annotated[_Accounts | None, Field(alias="hesaplar", description=_ACCOUNTS)] = None
    status: Annotated[
        WebhookOpen | None,
        Field(alias="durum", description=sentence("kapali: nothing is delivered. aktif: it goes on where it stopped.")),
    ] = None


class RenewSecret(Asked):
    """`POST /webhooks/{id}/secret`."""

    secret: HookSecret = None


class ReplaySince(Asked):
    """`POST /webhooks/{id}/yeniden`."""

    since: Annotated[
        datetime,
        BeforeValidator(read_moment, json_schema_input_type=Annotated[str, Field(pattern=MOMENT)]),
        Field(alias="baslangic", description=sentence("Everything since this moment is delivered once more.")),
    ]


class ListEvents(Asked):
    """The query of `GET /olaylar`."""

    after: Annotated[
        str | None, Field(alias="sonra", description=sentence("The value «sonraki» of the answer before."))
    ] = None
    events: Annotated[
        str | None, Field(alias="olaylar", max_length=1_000, description=sentence("Only these, with commas."))
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class ListDeliveries(Asked):
    """The query of `GET /webhooks/{id}/bildirimler`."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[
        str | None, Field(alias="sonra", description=sentence("The value «sonraki» of the page before."))
    ] = None
