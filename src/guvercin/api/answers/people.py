"""What is answered about refusals and consents."""

from typing import Annotated

from pydantic import Field

from guvercin.api.answers.ground import Answered, ClockTime, Done, IsoTime
from guvercin.core.consent import ConsentSource, RecipientKind
from guvercin.core.optout import OptOutScope, OptOutSource


class OptOutRecord(Answered):
    """One refusal. `bitis_zamani` null: it holds."""

    id: int
    phone: Annotated[str, Field(alias="telefon")]
    scope: Annotated[OptOutScope, Field(alias="kapsam")]
    source: Annotated[OptOutSource, Field(alias="kaynak")]
    account_id: Annotated[int | None, Field(alias="hesap_id")]
    said: Annotated[str | None, Field(alias="yazdigi")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]
    ended_at: Annotated[ClockTime | None, Field(alias="bitis_zamani")]
    ended_by: Annotated[OptOutSource | None, Field(alias="bitiren")]
    ended_why: Annotated[str | None, Field(alias="bitis_nedeni")]


class OptOutAnswer(Done):
    """One refusal."""

    data: OptOutRecord


class OptOutPage(Done):
    """A page of refusals, newest first."""

    data: list[OptOutRecord]
    next: Annotated[str | None, Field(alias="sonraki")]


class ConsentRecord(Answered):
    """One consent to be advertised to."""

    id: int
    phone: Annotated[str, Field(alias="telefon")]
    recipient_kind: Annotated[RecipientKind, Field(alias="alici_turu")]
    consent_source: Annotated[ConsentSource, Field(alias="onay_kaynagi")]
    given_at: Annotated[ClockTime, Field(alias="onay_zamani")]
    given_at_iso: Annotated[IsoTime, Field(alias="onay_zamani_iso")]
    text_version: Annotated[str | None, Field(alias="metin_surumu")]
    proof_name: Annotated[str | None, Field(alias="kanit_dosya_adi")]
    created_at: Annotated[ClockTime, Field(alias="kayit_zamani")]
    created_at_iso: Annotated[IsoTime, Field(alias="kayit_zamani_iso")]


class ConsentAnswer(Done):
    """One consent."""

    data: ConsentRecord


class ConsentPage(Done):
    """A page of consents, newest first."""

    data: list[ConsentRecord]
    next: Annotated[str | None, Field(alias="sonraki")]
