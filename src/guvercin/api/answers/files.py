"""What is answered about uploaded files."""

from typing import Annotated

from pydantic import Field

from guvercin.api.answers.ground import Done
from guvercin.locale import sentence


class UploadAnswer(Done):
    """`POST /dosyalar`."""

    id: Annotated[str, Field(alias="dosya_id")]
    name: Annotated[str, Field(alias="dosya_adi")]
    media_type: Annotated[str, Field(alias="dosya_turu")]
    size: Annotated[int, Field(alias="boyut", description=sentence("Bytes."))]
