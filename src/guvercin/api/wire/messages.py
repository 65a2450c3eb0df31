"""What is asked about single messages: sending them, listing them, withdrawing them."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StrictStr

from guvercin.api.wire.ground import (
    AccountId,
    Asked,
    CategoryId,
    DayOrMoment,
    FilePathText,
    Id,
    LifetimeMinutes,
    Name,
    Phone,
    PlannedAt,
    Reference,
    empty_is_none,
)
from guvercin.core.category import GENERAL, LARGEST_ID
from guvercin.locale import sentence

FileId = Annotated[
    StrictStr | None,
    Field(
        alias="dosya_id",
        max_length=100,
        description=sentence("A file that was uploaded with POST /dosyalar, instead of dosya_yolu."),
    ),
    AfterValidator(empty_is_none),
]

FileName = Annotated[
    StrictStr | None,
    Field(alias="dosya_adi", max_length=240, description=sentence("The file name that the recipient sees.")),
    AfterValidator(empty_is_none),
]


class SendText(Asked):
    """`POST /gonder`."""

    phone: Phone
    text: Annotated[StrictStr, Field(alias="mesaj", min_length=1, description=sentence("The text to send."))]
    name: Name = None
    category: CategoryId = GENERAL.id
    account_id: AccountId = None
    reference: Reference = None
    planned_at: PlannedAt = None
    lifetime: LifetimeMinutes = None


class SendFile(Asked):
    """`POST /dosya-gonder`: the file by its path inside the configured roots, or by the id of an upload."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}
                for name in ("dosya_yolu", "dosya_id")
            ],
        },
    )

    phone: Phone
    file_path: FilePathText = None
    text: Annotated[
        StrictStr | None,
        Field(alias="mesaj", description=sentence("The caption of the file.")),
        AfterValidator(empty_is_none),
    ] = None
    name: Name = None
    category: CategoryId = GENERAL.id
    account_id: AccountId = None
    reference: Reference = None
    planned_at: PlannedAt = None
    lifetime: LifetimeMinutes = None
    file_name: FileName = None
    file_id: FileId = None


class CancelReference(Asked):
    """`POST /iptal`."""

    reference: Annotated[
        StrictStr,
        Field(
            alias="referans",
            min_length=1,
            max_length=100,
            description=sentence("The number of your own that you gave when sending."),
        ),
    ]


class ListedStatus(StrEnum):
    """The message states that a list can be narrowed to."""

    QUEUED = "queued"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ListMessages(Asked):
    """The query of `GET /gonderimler`."""

    status: Annotated[ListedStatus | None, Field(alias="durum")] = None
    account_id: Annotated[Id | None, Field(alias="hesap_id")] = None
    category: Annotated[int | None, Field(alias="tur_id", ge=1, le=LARGEST_ID)] = None
    phone: Annotated[str | None, Field(alias="telefon", max_length=100)] = None
    reference: Annotated[str | None, Field(alias="referans", max_length=100)] = None
    batch_id: Annotated[Id | None, Field(alias="toplu_id")] = None
    since: Annotated[DayOrMoment, Field(alias="baslangic", description=sentence("From this day or moment on."))] = None
    until: Annotated[
        DayOrMoment,
        Field(alias="bitis", description=sentence("Until the end of this day, or up to this moment.")),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[
        str | None, Field(alias="sonra", description=sentence("The value «sonraki» of the page before."))
    ] = None
