"""What is asked to sign in."""

from typing import Annotated

from pydantic import Field, StrictStr

from guvercin.api.wire.ground import Asked
from guvercin.locale import sentence

_Half = Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]


class SignIn(Asked):
    """`POST /auth/token`."""

    api_key: Annotated[_Half, Field(description=sentence("The pair's key (pk_live_…)."))]
    api_secret: Annotated[_Half, Field(description=sentence("The pair's secret (sk_live_…)."))]
