"""What clients write to us: the models of every request, with English attributes and Turkish names on the wire.

Laws
1. The accepted body and the documented one are the same model: there is no second list of names or limits.
2. Keys that no model names are ignored and bound to nothing: old clients send extra fields.
3. A model checks the shape. What a value means (is the number real, is the file there) the gateway decides.
4. An optional key may be null; an optional text may be empty, which means the same: PHP clients send both.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, LiteralString

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from guvercin.core.account import OnUnknown
from guvercin.core.address import LONGEST_URL
from guvercin.core.category import GENERAL, LARGEST_ID
from guvercin.core.consent import ConsentSource, RecipientKind
from guvercin.core.hook import HookEvent
from guvercin.core.message import Lane, Level
from guvercin.core.optout import OptOutScope, OptOutSource
from guvercin.core.presets import Preset
from guvercin.gateway import drafting
from guvercin.locale import sentence

MOST_RECIPIENTS = 10_000
LARGEST_INTEGER = 2**53 - 1
"""The largest id that every JSON reader keeps exactly."""


_MOST_DIGITS = len(str(LARGEST_INTEGER)) - 1
"""Digits of a quoted integer: as many as can't be too many."""


def _fault(name: LiteralString) -> PydanticCustomError:
    """Build an error that goes by one of the fault words of `locale.faults`."""
    return PydanticCustomError(name, name)


def _read_phone(value: Any) -> Any:
    if type(value) is str or type(value) is int:
        return value
    raise _fault("yazi_degil")


def _read_whole(value: Any) -> Any:
    """Read `"5"` and `5.0` as 5: old clients quote their integers, and to JSON 5.0 is an integer. Nothing else."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    return value


def _read_float(value: Any) -> Any:
    """Read `5.0` as 5: to JSON it is an integer."""
    return int(value) if type(value) is float and value.is_integer() else value


_MOMENT = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$"
_DAY = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"


def _read_moment(value: Any) -> Any:
    """Read `2026-02-23 14:30:00` (naive: the configured zone is put to it later) or ISO 8601 with an offset."""
    if value is None:
        return None
    if type(value) is not str:
        raise _fault("tip")
    if re.fullmatch(_MOMENT, value) is None:
        raise _fault("gecersiz_zaman")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise _fault("gecersiz_zaman") from None


def _empty_is_none(value: str | None) -> str | None:
    return value or None


def _also_quoted(least: int, most: int, *, quoted: str) -> BeforeValidator:
    """Read an optional integer leniently, and document what is read: the integer, or its digits in quotes."""
    digits = Annotated[str, Field(pattern=quoted, max_length=_MOST_DIGITS)]
    documented = Annotated[int, Field(ge=least, le=most)] | digits | None
    return BeforeValidator(_read_whole, json_schema_input_type=documented)


_MomentText = Annotated[str, Field(pattern=_MOMENT)] | None

Phone = Annotated[
    str | int,
    BeforeValidator(_read_phone, json_schema_input_type=str | int),
    Field(
        alias="telefon",
        description=sentence(
            "The recipient's number (+905XXXXXXXXX); every way in which it is written in Turkey is read."
        ),
    ),
]
Name = Annotated[
    StrictStr | None,
    Field(alias="isim", max_length=200, description=sentence("The recipient's name (for the log).")),
    AfterValidator(_empty_is_none),
]
CategoryId = Annotated[
    int | None,
    Field(strict=True, ge=1, le=LARGEST_ID),
    _also_quoted(1, LARGEST_ID, quoted="^0*[1-9][0-9]{0,5}$"),
    Field(alias="tur_id", description=sentence("The category's ID (default: 10 = general).")),
]
AccountId = Annotated[
    int | None,
    Field(strict=True, ge=1, le=LARGEST_INTEGER),
    _also_quoted(1, LARGEST_INTEGER, quoted="^0*[1-9][0-9]{0,14}$"),
    Field(alias="hesap_id", description=sentence("The account that sends; without it, the default account.")),
]
Reference = Annotated[
    StrictStr | None,
    Field(
        alias="referans",
        max_length=100,
        description=sentence("A number of your own; you can search by it and cancel by it."),
    ),
    AfterValidator(_empty_is_none),
]
PlannedAt = Annotated[
    datetime | None,
    BeforeValidator(_read_moment, json_schema_input_type=_MomentText),
    Field(
        alias="planlanan_zaman",
        description=sentence(
            "It is not sent before this time: 2026-02-23 14:30:00 (in the server's time zone) or ISO 8601."
        ),
    ),
]
LifetimeMinutes = Annotated[
    int | None,
    Field(strict=True, ge=1, le=43_200),
    _also_quoted(1, 43_200, quoted="^0*([1-9][0-9]{0,3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)$"),
    Field(
        alias="gecerlilik_dk",
        description=sentence("Minutes after which it must not leave any more (at most 43200, that is 30 days)."),
    ),
]
FilePathText = Annotated[
    StrictStr | None,
    Field(alias="dosya_yolu", max_length=1024, description=sentence("The path of the file on the server.")),
    AfterValidator(_empty_is_none),
]
FileId = Annotated[
    StrictStr | None,
    Field(
        alias="dosya_id",
        max_length=100,
        description=sentence("A file that was uploaded with POST /dosyalar, instead of dosya_yolu."),
    ),
    AfterValidator(_empty_is_none),
]
FileName = Annotated[
    StrictStr | None,
    Field(alias="dosya_adi", max_length=240, description=sentence("The file name that the recipient sees.")),
    AfterValidator(_empty_is_none),
]


class Asked(BaseModel):
    """A request as its client wrote it."""

    model_config = ConfigDict(extra="ignore", frozen=True)


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
        AfterValidator(_empty_is_none),
    ] = None
    name: Name = None
    category: CategoryId = GENERAL.id
    account_id: AccountId = None
    reference: Reference = None
    planned_at: PlannedAt = None
    lifetime: LifetimeMinutes = None
    file_name: FileName = None
    file_id: FileId = None


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
        AfterValidator(_empty_is_none),
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


class WireKind(StrEnum):
    """The kinds of account that the contract names."""

    SANDBOX = "sandbox"
    WEB = "web"
    CLOUD = "cloud"


_AccountName = Annotated[StrictStr, Field(min_length=1, max_length=100, description=sentence("The account's name."))]


_MetaId = Annotated[StrictStr, Field(pattern=r"^[0-9]{1,32}$")]
_Secret = Annotated[StrictStr, Field(min_length=1, max_length=2_000, pattern=r"^[!-~]+$")]


class CloudTemplate(Asked):
    """An approved template that stands for a category outside the 24 hours."""

    template: Annotated[StrictStr, Field(alias="sablon_adi", pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[StrictStr, Field(alias="dil", pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")]
    places: Annotated[
        list[Annotated[StrictStr, Field(min_length=1, max_length=100)]],
        Field(
            alias="yerler",
            max_length=10,
            description=sentence(
                "What fills its places, in order: mesaj, isim, or the name of a variable (degiskenler) of a list."
            ),
        ),
    ] = []


class CloudSetup(Asked):
    """The ids and secrets of an account at Meta. Secrets are never read back."""

    number_id: Annotated[
        _MetaId | None, Field(alias="numara_id", description=sentence("The number's id (Phone number ID)."))
    ] = None
    business_id: Annotated[
        _MetaId | None,
        Field(alias="isletme_id", description=sentence("The account's id (WhatsApp Business Account ID).")),
    ] = None
    access_token: Annotated[
        _Secret | None, Field(alias="erisim_anahtari", description=sentence("A system user's permanent access token."))
    ] = None
    app_secret: Annotated[
        _Secret | None,
        Field(alias="uygulama_sirri", description=sentence("The app's secret; webhooks are checked by it.")),
    ] = None
    verify_token: Annotated[
        _Secret | None,
        Field(
            alias="dogrulama_sozu",
            description=sentence("A word of your own that you also give to Meta's webhook form."),
        ),
    ] = None
    templates: Annotated[
        Annotated[
            dict[Annotated[StrictStr, Field(pattern=r"^[0-9]{1,6}$")], CloudTemplate],
            Field(json_schema_extra={"additionalProperties": False}),
        ]
        | None,
        Field(alias="sablonlar", description=sentence("By tur_id: the template that is sent outside the 24 hours.")),
    ] = None


_OF_META = ("numara_id", "isletme_id", "erisim_anahtari", "uygulama_sirri", "dogrulama_sozu")


class AddAccount(Asked):
    """`POST /hesaplar`."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"tur": {"enum": ["sandbox", "web"]}}},
                {
                    "required": ["bulut"],
                    "properties": {
                        "tur": {"const": "cloud"},
                        "bulut": {
                            "type": "object",
                            "required": list(_OF_META),
                            "properties": {name: {"type": "string"} for name in _OF_META},
                        },
                    },
                },
            ],
        },
    )

    name: Annotated[_AccountName, Field(alias="isim")]
    kind: Annotated[WireKind, Field(alias="tur", description=sentence("sandbox, web (a linked phone) or cloud."))]
    cloud: Annotated[
        CloudSetup | None, Field(alias="bulut", description=sentence("What Meta gave you; for cloud all of it."))
    ] = None


class MarkRead(Asked):
    """`POST /hesaplar/{id}/okundu`."""

    message_id: Annotated[str, Field(alias="message_id", min_length=1, max_length=512)]


class LinkMethod(StrEnum):
    """How a phone takes the link."""

    QR = "qr"
    CODE = "kod"


class LinkAccount(Asked):
    """`POST /hesaplar/{id}/bagla`."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"yontem": {"const": "qr"}}},
                {
                    "required": ["yontem", "telefon"],
                    "properties": {"yontem": {"const": "kod"}, "telefon": {"type": ["string", "integer"]}},
                },
            ],
        },
    )

    method: Annotated[
        LinkMethod,
        Field(alias="yontem", description=sentence("qr: scan a code. kod: type one on the phone.")),
    ] = LinkMethod.QR
    phone: Annotated[
        str | int | None,
        BeforeValidator(lambda value: value if value is None else _read_phone(value)),
        Field(alias="telefon", description=sentence("The number of the phone to link; only with kod.")),
    ] = None


_Seconds = Annotated[float, Field(strict=True, ge=0, le=3_600, allow_inf_nan=False)]


class GapSeconds(Asked):
    """The space before a send, drawn evenly between two figures, in seconds."""

    least: Annotated[_Seconds, Field(alias="en_az", description=sentence("Seconds."))]
    most: Annotated[_Seconds, Field(alias="en_cok", description=sentence("Seconds."))]


class Urgency(StrEnum):
    """How urgent a category is, in the wire's words."""

    LOWEST = "en_dusuk"
    LOW = "dusuk"
    NORMAL = "normal"
    HIGH = "yuksek"


LEVELS: Mapping[Urgency, Level] = MappingProxyType(
    {
        Urgency.LOWEST: Level.LOWEST,
        Urgency.LOW: Level.LOW,
        Urgency.NORMAL: Level.NORMAL,
        Urgency.HIGH: Level.HIGH,
    }
)


class WireLane(StrEnum):
    """A spacing class in the wire's words: `toplu` is bulk to customers (*mevcut*)."""

    SINGLE = "tekli"
    BULK = "toplu"
    KNOWN = "tanidik"
    NEW = "yeni"


LANES: Mapping[WireLane, Lane] = MappingProxyType({WireLane.SINGLE: Lane.SINGLE, WireLane.BULK: Lane.BULK})


_Cap = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class CapsAsked(Asked):
    """The most within one window; what is absent stays as it is."""

    all: Annotated[_Cap | None, Field(alias="hepsi", description=sentence("Everything."))] = None
    existing: Annotated[_Cap | None, Field(alias="mevcut", description=sentence("Bulk to your customers."))] = None
    new: Annotated[_Cap | None, Field(alias="yeni", description=sentence("People who are new to the account."))] = None


class LimitsAsked(Asked):
    """The limits of an account."""

    hourly: Annotated[CapsAsked | None, Field(alias="saatlik")] = None
    daily: Annotated[CapsAsked | None, Field(alias="gunluk")] = None
    monthly_new: Annotated[
        _Cap | None, Field(alias="aylik_yeni", description=sentence("New people within 30 days."))
    ] = None


class ChangeAccount(Asked):
    """`PATCH /hesaplar/{id}`: what is absent or null stays as it is."""

    name: Annotated[_AccountName | None, Field(alias="isim")] = None
    cloud: Annotated[
        CloudSetup | None, Field(alias="bulut", description=sentence("What changes of a cloud account's set-up."))
    ] = None
    gaps: Annotated[
        dict[WireLane, GapSeconds] | None,
        Field(
            alias="araliklar",
            description=sentence("The space between two sends, for single messages (tekli) and for bulk ones (toplu)."),
        ),
    ] = None
    preset: Annotated[
        Preset | None,
        Field(
            alias="hiz", description=sentence("A ready pace: dikkatli, normal or hizli. What else is given changes it.")
        ),
    ] = None
    limits: Annotated[LimitsAsked | None, Field(alias="sinirlar", description=sentence("How many may leave."))] = None
    keeps_quiet_hours: Annotated[
        StrictBool | None,
        Field(
            alias="sessiz_saat", description=sentence("Whether categories that keep quiet hours wait for their end.")
        ),
    ] = None
    on_unknown: Annotated[
        OnUnknown | None,
        Field(
            alias="belirsiz", description=sentence("What happens to a message when nobody can tell whether it left.")
        ),
    ] = None
    keeps_notices: Annotated[
        StrictBool | None,
        Field(
            alias="islem_bildirimleri",
            description=sentence(
                "Whether who refuses messages still gets single ones of categories 1, 3, 4, 6 and 8. Never in bulk."
            ),
        ),
    ] = None
    sender_title: Annotated[
        StrictStr | None,
        Field(
            alias="gonderen_unvani",
            max_length=120,
            description=sentence("The title or name below commercial messages; empty takes it away."),
        ),
    ] = None
    repeat_guard_hours: Annotated[
        int | None,
        Field(strict=True, ge=0, le=720),
        _also_quoted(0, 720, quoted="^0*([0-9]{1,2}|[1-6][0-9]{2}|7[01][0-9]|720)$"),
        Field(
            alias="mukerrer_saat",
            description=sentence("Hours in which a bulk sends nobody the same text again; 0: it does."),
        ),
    ] = None


class ChangeCategory(Asked):
    """`PUT /turler/{id}`: what is absent or null stays as it is."""

    code: Annotated[
        StrictStr | None,
        Field(
            alias="kod",
            pattern="^[a-z][a-z0-9_]{0,29}$",
            description=sentence("A short word for it; made from the name if it isn't given."),
        ),
    ] = None
    label: Annotated[
        StrictStr | None,
        Field(alias="ad", min_length=1, max_length=60, description=sentence("What people call it.")),
    ] = None
    is_commercial: Annotated[
        StrictBool | None,
        Field(
            alias="ticari",
            description=sentence("Whether it advertises: such messages go only to people who have consented."),
        ),
    ] = None
    keeps_quiet_hours: Annotated[
        StrictBool | None,
        Field(alias="sessiz_saat", description=sentence("Whether it waits for the quiet hours' end.")),
    ] = None
    lifetime: LifetimeMinutes = None
    level: Annotated[
        Urgency | None, Field(alias="oncelik", description=sentence("How urgent it is: the more urgent leave first."))
    ] = None


class Scope(StrEnum):
    """What a refusal covers, as far as somebody may say it."""

    EVERYTHING = OptOutScope.EVERYTHING
    COMMERCIAL = OptOutScope.COMMERCIAL
    WRONG_NUMBER = OptOutScope.WRONG_NUMBER


class Source(StrEnum):
    """Who may say that a person refuses; what the person wrote comes from WhatsApp alone."""

    PANEL = OptOutSource.PANEL
    API = OptOutSource.API
    IYS = OptOutSource.IYS


_Source = Annotated[
    Source,
    Field(
        alias="kaynak", description=sentence("Where it comes from: a program (api), a person (panel), or İYS (iys).")
    ),
]


class AddOptOut(Asked):
    """`POST /ret-listesi`."""

    phone: Phone
    scope: Annotated[
        Scope,
        Field(
            alias="kapsam",
            description=sentence(
                "her_sey: nothing goes any more; ticari: no advertising; yanlis_numara: no balances and statements."
            ),
        ),
    ] = Scope.EVERYTHING
    account_id: Annotated[
        int | None,
        Field(strict=True, ge=1, le=LARGEST_INTEGER),
        _also_quoted(1, LARGEST_INTEGER, quoted="^0*[1-9][0-9]{0,14}$"),
        Field(alias="hesap_id", description=sentence("The account that it is about; without it, all of them.")),
    ] = None
    source: _Source = Source.API
    said: Annotated[
        StrictStr | None,
        Field(alias="yazdigi", max_length=1_000, description=sentence("What the person said, for the record.")),
    ] = None


class ListedOptOuts(StrEnum):
    """Which refusals a list shows."""

    LIVE = "gecerli"
    ENDED = "bitti"
    ALL = "hepsi"


_After = Annotated[
    str | None,
    Field(alias="sonra", max_length=20, description=sentence("The value «sonraki» of the page before.")),
]
_Limit = Annotated[int, Field(alias="limit", ge=1, le=200, description=sentence("Rows of a page (at most 200)."))]


class ListOptOuts(Asked):
    """The query of `GET /ret-listesi`."""

    phone: Annotated[str | None, Field(alias="telefon", max_length=100)] = None
    which: Annotated[ListedOptOuts, Field(alias="hangisi")] = ListedOptOuts.LIVE
    limit: _Limit = 50
    after: _After = None


class EndOptOuts(Asked):
    """The query of `DELETE /ret-listesi`."""

    phone: Annotated[str, Field(alias="telefon", max_length=100)]
    account_id: Annotated[int | None, Field(alias="hesap_id", ge=1, le=LARGEST_INTEGER)] = None
    scope: Annotated[Scope | None, Field(alias="kapsam")] = None
    source: Annotated[Source, Field(alias="kaynak")] = Source.API
    reason: Annotated[str | None, Field(alias="neden", max_length=200)] = None


class ListPeople(Asked):
    """The query of `GET /bakilacaklar` and `GET /onaylar`."""

    phone: Annotated[str | None, Field(alias="telefon", max_length=100)] = None
    limit: _Limit = 50
    after: _After = None


class HoldPerson(Asked):
    """`POST /kisiler/{telefon}/saklama`."""

    reason: Annotated[
        str | None,
        Field(alias="neden", max_length=200, description=sentence("Who wants it, for the record: a file number.")),
    ] = None


class ListEntries(Asked):
    """The query of `GET /denetim` and `GET /imha`."""

    limit: _Limit = 50
    after: _After = None


class Meaning(StrEnum):
    """What somebody meant who sounded as if they refused."""

    REFUSAL = "ret"
    WRONG_NUMBER = "yanlis_numara"
    NOTHING = "devam"


MEANINGS: Mapping[Meaning, OptOutScope | None] = MappingProxyType(
    {
        Meaning.REFUSAL: OptOutScope.EVERYTHING,
        Meaning.WRONG_NUMBER: OptOutScope.WRONG_NUMBER,
        Meaning.NOTHING: None,
    }
)


class DecideOptOut(Asked):
    """`POST /bakilacaklar/{id}/karar`."""

    meaning: Annotated[
        Meaning,
        Field(
            alias="karar",
            description=sentence(
                "ret: they want nothing any more; yanlis_numara: it is not their affair; devam: it was no refusal."
            ),
        ),
    ]
    source: _Source = Source.API


class AddConsent(Asked):
    """`POST /onaylar`."""

    phone: Phone
    consent_source: Annotated[
        ConsentSource,
        Field(
            alias="onay_kaynagi", description=sentence("Where it was given, in İYS's words: HS_WEB, HS_ISLAK_IMZA …")
        ),
    ]
    given_at: Annotated[
        datetime,
        BeforeValidator(_read_moment, json_schema_input_type=Annotated[str, Field(pattern=_MOMENT)]),
        Field(alias="onay_zamani", description=sentence("When it was given: 2026-02-23 14:30:00 or ISO 8601.")),
    ]
    recipient_kind: Annotated[
        RecipientKind,
        Field(alias="alici_turu", description=sentence("A private person (BIREYSEL) or a merchant (TACIR).")),
    ] = RecipientKind.PERSON
    text_version: Annotated[
        StrictStr | None,
        Field(
            alias="metin_surumu",
            max_length=100,
            description=sentence("Which text they agreed to, in your own numbering."),
        ),
    ] = None
    proof_id: Annotated[
        StrictStr | None,
        Field(
            alias="kanit_dosya_id",
            max_length=100,
            description=sentence("The proof: a file that was uploaded with POST /dosyalar."),
        ),
    ] = None


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


def _read_day_or_moment(value: Any) -> Any:
    """Read a bound of a list: a day (a date), or a moment as above."""
    if type(value) is str and re.fullmatch(_DAY, value):
        return _read_moment(f"{value} 00:00:00").date()
    return _read_moment(value)


_Id = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
_DayOrMoment = Annotated[
    datetime | date | None,
    BeforeValidator(
        _read_day_or_moment,
        json_schema_input_type=Annotated[str, Field(pattern=f"{_DAY}|{_MOMENT}")] | None,
    ),
]


class ListMessages(Asked):
    """The query of `GET /gonderimler`."""

    status: Annotated[ListedStatus | None, Field(alias="durum")] = None
    account_id: Annotated[_Id | None, Field(alias="hesap_id")] = None
    category: Annotated[int | None, Field(alias="tur_id", ge=1, le=LARGEST_ID)] = None
    phone: Annotated[str | None, Field(alias="telefon", max_length=100)] = None
    reference: Annotated[str | None, Field(alias="referans", max_length=100)] = None
    batch_id: Annotated[_Id | None, Field(alias="toplu_id")] = None
    since: Annotated[_DayOrMoment, Field(alias="baslangic", description=sentence("From this day or moment on."))] = None
    until: Annotated[
        _DayOrMoment,
        Field(alias="bitis", description=sentence("Until the end of this day, or up to this moment.")),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[
        str | None, Field(alias="sonra", description=sentence("The value «sonraki» of the page before."))
    ] = None


class ListBatches(Asked):
    """The query of `GET /toplu`."""

    account_id: Annotated[_Id | None, Field(alias="hesap_id")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[
        str | None, Field(alias="sonra", description=sentence("The value «sonraki» of the page before."))
    ] = None


class ListInbox(Asked):
    """The query of `GET /gelen`."""

    account_id: Annotated[_Id | None, Field(alias="hesap_id")] = None
    sender: Annotated[
        str | None, Field(alias="gonderen", max_length=200, description=sentence("Of this person alone."))
    ] = None
    since: Annotated[
        _DayOrMoment,
        Field(alias="baslangic", description=sentence("What came in from this day or moment on.")),
    ] = None
    is_read: Annotated[
        bool | None, Field(alias="okundu", description=sentence("false: only what nobody has read here."))
    ] = None
    limit: _Limit = 50
    after: _After = None


class ReadInbox(Asked):
    """`POST /gelen/okundu`."""

    upto: Annotated[
        int,
        Field(alias="son_id", ge=1, le=LARGEST_INTEGER, description=sentence("The newest message that you have seen.")),
    ]
    account_id: Annotated[int | None, Field(alias="hesap_id", ge=1, le=LARGEST_INTEGER)] = None
    sender: Annotated[
        str | None, Field(alias="gonderen", max_length=200, description=sentence("Of this person alone."))
    ] = None


class LookUp(Asked):
    """The query of `GET /numara-kontrol`."""

    phone: Annotated[str, Field(alias="telefon", max_length=100)]
    account_id: Annotated[_Id | None, Field(alias="hesap_id")] = None


_Url = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_URL, pattern=r"^https?://[!-~]+$")]
_Events = Annotated[list[HookEvent], Field(min_length=1, max_length=50)]
_Accounts = Annotated[
    list[Annotated[int, Field(strict=True, ge=1, le=LARGEST_INTEGER), BeforeValidator(_read_float)]],
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
        BeforeValidator(_read_moment, json_schema_input_type=Annotated[str, Field(pattern=_MOMENT)]),
        Field(alias="baslangic", description=sentence("Everything since this moment is delivered once more.")),
    ]


_Half = Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]


class SignIn(Asked):
    """`POST /auth/token`."""

    api_key: Annotated[_Half, Field(description=sentence("The pair's key (pk_live_…)."))]
    api_secret: Annotated[_Half, Field(description=sentence("The pair's secret (sk_live_…)."))]


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


class UploadForm(Asked):
    """`POST /dosyalar`, as multipart/form-data."""

    file: Annotated[
        str,
        Field(
            alias="dosya",
            description=sentence("PDF, JPEG, PNG or WebP."),
            json_schema_extra={"contentMediaType": "application/octet-stream"},
        ),
    ]


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


def bodies() -> Iterator[type[Asked]]:
    """Answer every request model."""
    return _below(Asked)


def _below(model: type[Asked]) -> Iterator[type[Asked]]:
    for child in model.__subclasses__():
        yield child
        yield from _below(child)


FIELD_NAMES: Mapping[str, str] = MappingProxyType(
    {name: field.alias or name for model in bodies() for name, field in model.model_fields.items()},
)
"""Attribute -> wire name, read from the models themselves."""

ATTRIBUTES: Mapping[str, str] = MappingProxyType({wire: name for name, wire in FIELD_NAMES.items()})
"""Wire name -> attribute."""
