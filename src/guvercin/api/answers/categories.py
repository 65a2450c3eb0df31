"""What is answered about categories."""

from typing import Annotated

from pydantic import Field

from guvercin.api.answers.ground import Answered, Done
from guvercin.api.wire.categories import Urgency


class CategoryRow(Answered):
    """One kind of message and the rules that it follows."""

    id: int
    code: Annotated[str, Field(alias="kod")]
    name: Annotated[str, Field(alias="ad")]
    is_commercial: Annotated[bool, Field(alias="ticari")]
    keeps_quiet_hours: Annotated[bool, Field(alias="sessiz_saat")]
    lifetime_minutes: Annotated[int, Field(alias="gecerlilik_dk")]
    level: Annotated[Urgency, Field(alias="oncelik")]


class CategoryList(Done):
    """`GET /turler`."""

    data: list[CategoryRow]


class CategoryAnswer(Done):
    """`PUT /turler/{id}`."""

    data: CategoryRow
