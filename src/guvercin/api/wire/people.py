"""What is asked about people: refusals, consents, and their rights."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictStr

from guvercin.api.wire.ground import LARGEST_INTEGER, MOMENT, After, AnyAccountId, Asked, Limit, Phone, read_moment
from guvercin.core.consent import ConsentSource, RecipientKind
from guvercin.core.optout import OptOutScope, OptOutSource
from guvercin.locale import sentence


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
        AnyAccountId, Field(description=sentence("The account that it is about; without it, all of them."))
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


class ListOptOuts(Asked):
    """The query of `GET /ret-listesi`."""

    phone: Annotated[str | None, Field(alias="telefon", max_length=100)] = None
    which: Annotated[ListedOptOuts, Field(alias="hangisi")] = ListedOptOuts.LIVE
    limit: Limit = 50
    after: After = None


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
    limit: Limit = 50
    after: After = None


class HoldPerson(Asked):
    """`POST /kisiler/{telefon}/saklama`."""

    reason: Annotated[
        str | None,
        Field(alias="neden", max_length=200, description=sentence("Who wants it, for the record: a file number.")),
    ] = None


class ListEntries(Asked):
    """The query of `GET /denetim` and `GET /imha`."""

    limit: Limit = 50
    after: After = None


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
        BeforeValidator(read_moment, json_schema_input_type=Annotated[str, Field(pattern=MOMENT)]),
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
