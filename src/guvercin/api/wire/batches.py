"""What is asked about batches, and the forms of customer lists."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from guvercin.api.wire.ground import (
    LARGEST_INTEGER,
    MOST_RECIPIENTS,
    AccountId,
    Asked,
    CategoryId,
    FilePathText,
    Id,
    LifetimeMinutes,
    Name,
    Phone,
    PlannedAt,
    Reference,
    empty_is_none,
)
from guvercin.core.category import GENERAL
from guvercin.gateway import drafting
from guvercin.locale import sentence


def _empty_list_is_none(value: Any) -> Any:
    """Read `[]` as nothing: it is how PHP writes an empty object."""
    return None if value == [] else value


_Word = Annotated[StrictStr, Field(max_length=100)]

_Whole = Annotated[StrictInt, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]

_Value = StrictStr | _Whole

Variables = Annotated[
    dict[_Word, _Value] | None,
    BeforeValidator(
        _empty_list_is_none,
        json_schema_input_type=dict[_Word, _Value] | Annotated[list[Any], Field(max_length=0)] | None,
    ),
    Field(
        alias="degiskenler",
        description=sentence(
            'What fills the places of the text, with sablon: {"tutar": "1.250,00"}. Write amounts as text, the way '
            "they shall be read."
        ),
    ),
]


class Recipient(Asked):
    """One line of a bulk request."""

    phone: Phone
    name: Name = None
    text: Annotated[
        StrictStr | None,
        Field(alias="mesaj", description=sentence("This recipient's own text, instead of the common one.")),
        AfterValidator(empty_is_none),
    ] = None
    variables: Variables = None
    file_path: FilePathText = None
    reference: Reference = None


class SendBatch(Asked):
    """`POST /toplu-gonder`."""

    recipients: Annotated[
        list[Recipient],
        Field(
            alias="alicilar",
            min_length=1,
            max_length=MOST_RECIPIENTS,
            description=sentence("The recipients [{telefon, isim}]."),
        ),
    ]
    text: Annotated[StrictStr, Field(alias="mesaj", min_length=1, description=sentence("The text to send."))]
    category: CategoryId = GENERAL.id
    account_id: AccountId = None
    is_template: Annotated[
        StrictBool | None,
        Field(
            alias="sablon",
            description=sentence(
                "true: {isim} and {isim|…} (with a fallback) in the text and in dosya_yolu are filled for each "
                "recipient. Without it a brace stays a brace."
            ),
        ),
    ] = None
    file_path: FilePathText = None
    reference: Reference = None
    planned_at: PlannedAt = None
    lifetime: LifetimeMinutes = None
    is_declared: Annotated[
        StrictBool | None,
        Field(
            alias="beyan",
            description=sentence(
                "For a text that sounds like advertising in a category that is none: true says that somebody was asked "
                "and says it is none; false that they were not. Without it, it goes and is noted."
            ),
        ),
    ] = None

    is_of_customers: Annotated[
        StrictBool | None,
        Field(
            alias="mevcut_musteriler",
            description=sentence(
                "true: you declare that everybody on this list is a customer of yours. It is recorded with your token "
                "and the time. Such a list is sent faster; a wrong declaration can cost you the number."
            ),
        ),
    ] = None

    @property
    def has_files(self) -> bool:
        """Say whether files of the server are asked for."""
        return self.file_path is not None or any(line.file_path is not None for line in self.recipients)


class SendList(SendBatch):
    """A customer list that was read from a file, as the bulk request that it comes to."""

    recipients: Annotated[list[Recipient], Field(alias="alicilar", min_length=1, max_length=drafting.MOST_RECIPIENTS)]


class StartList(Asked):
    """The query of `POST /toplu/taslak/{id}/baslat`."""

    is_declared: Annotated[
        bool | None,
        Field(
            alias="beyan",
            description=sentence(
                "Whether somebody was asked about a text that sounds like advertising: see toplu-gonder."
            ),
        ),
    ] = None


class ListBatches(Asked):
    """The query of `GET /toplu`."""

    account_id: Annotated[Id | None, Field(alias="hesap_id")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[
        str | None, Field(alias="sonra", description=sentence("The value «sonraki» of the page before."))
    ] = None


def _texts_alone(schema: dict[str, Any]) -> None:
    """Document the fields of a form as what a form holds: texts. An empty one is as good as none."""
    for field in schema["properties"].values():
        for choice in field.pop("anyOf", ()):
            if choice["type"] == "string":
                field.update(choice)
        field.pop("default", None)
        field["type"] = "string"


class ImportForm(Asked):
    """`POST /toplu/dosya`, as multipart/form-data."""

    model_config = ConfigDict(json_schema_extra=_texts_alone)

    file: Annotated[
        str,
        Field(
            alias="dosya",
            description=sentence("The list of customers: an Excel workbook (.xlsx) or CSV, at most 10 MB."),
            json_schema_extra={"contentMediaType": "application/octet-stream"},
        ),
    ]
    text: Annotated[
        StrictStr,
        Field(
            alias="mesaj",
            min_length=1,
            description=sentence("The text to send. {isim} and the names of the list's columns are filled for each."),
        ),
    ]
    columns: Annotated[
        StrictStr | None,
        Field(
            alias="sutunlar",
            description=sentence(
                "Which column is what, as JSON, where the guess is wrong: "
                '{"telefon": "Cep Tel", "isim": "Cari", "referans": "No"}.'
            ),
        ),
    ] = None
    category: CategoryId = GENERAL.id
    account_id: AccountId = None
    file_path: FilePathText = None
    reference: Reference = None
    planned_at: PlannedAt = None
    lifetime: LifetimeMinutes = None
    is_of_customers: Annotated[
        bool | None,
        Field(
            alias="mevcut_musteriler",
            description=sentence("true: you declare that everybody on it is a customer of yours, as in toplu-gonder."),
        ),
    ] = None


class ChosenColumns(Asked):
    """What the field sutunlar of `POST /toplu/dosya` holds: heads of the list."""

    phone: Annotated[StrictStr | None, Field(alias="telefon", max_length=200)] = None
    name: Annotated[StrictStr | None, Field(alias="isim", max_length=200)] = None
    reference: Annotated[StrictStr | None, Field(alias="referans", max_length=200)] = None
