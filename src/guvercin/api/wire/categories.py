"""What is asked about categories."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from guvercin.api.wire.ground import Asked, LifetimeMinutes
from guvercin.core.message import Level
from guvercin.locale import sentence


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
