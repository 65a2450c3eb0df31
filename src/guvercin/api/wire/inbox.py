"""What is asked about the inbox."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StrictStr

from guvercin.api.wire.ground import LARGEST_INTEGER, After, AnyAccountId, Asked, DayOrMoment, Id, Limit, read_float
from guvercin.locale import sentence


class ListInbox(Asked):
    """The query of `GET /gelen`."""

    account_id: Annotated[Id | None, Field(alias="hesap_id")] = None
    sender: Annotated[
        str | None, Field(alias="gonderen", max_length=200, description=sentence("Of this person alone."))
    ] = None
    since: Annotated[
        DayOrMoment,
        Field(alias="baslangic", description=sentence("What came in from this day or moment on.")),
    ] = None
    is_read: Annotated[
        bool | None, Field(alias="okundu", description=sentence("false: only what nobody has read here."))
    ] = None
    limit: Limit = 50
    after: After = None


class ReadInbox(Asked):
    """`POST /gelen/okundu`."""

    upto: Annotated[
        int,
        Field(strict=True, ge=1, le=LARGEST_INTEGER),
        BeforeValidator(read_float),
        Field(alias="son_id", description=sentence("The newest message that you have seen.")),
    ]
    account_id: AnyAccountId = None
    sender: Annotated[
        StrictStr | None, Field(alias="gonderen", max_length=200, description=sentence("Of this person alone."))
    ] = None
