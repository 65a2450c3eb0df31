"""What is asked about accounts, their lines and their pace."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, StrictStr

from guvercin.api.wire.ground import Asked, Id, also_quoted, read_phone
from guvercin.core.account import OnUnknown
from guvercin.core.message import Lane
from guvercin.core.presets import Preset
from guvercin.locale import sentence


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
    ] = []  # noqa: RUF012 -- a field of a model: each gets its own


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
        BeforeValidator(lambda value: value if value is None else read_phone(value)),
        Field(alias="telefon", description=sentence("The number of the phone to link; only with kod.")),
    ] = None


_Seconds = Annotated[float, Field(strict=True, ge=0, le=3_600, allow_inf_nan=False)]


class GapSeconds(Asked):
    """The space before a send, drawn evenly between two figures, in seconds."""

    least: Annotated[_Seconds, Field(alias="en_az", description=sentence("Seconds."))]
    most: Annotated[_Seconds, Field(alias="en_cok", description=sentence("Seconds."))]


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
        also_quoted(0, 720, quoted="^0*([0-9]{1,2}|[1-6][0-9]{2}|7[01][0-9]|720)$"),
        Field(
            alias="mukerrer_saat",
            description=sentence("Hours in which a bulk sends nobody the same text again; 0: it does."),
        ),
    ] = None


class LookUp(Asked):
    """The query of `GET /numara-kontrol`."""

    phone: Annotated[str, Field(alias="telefon", max_length=100)]
    account_id: Annotated[Id | None, Field(alias="hesap_id")] = None
