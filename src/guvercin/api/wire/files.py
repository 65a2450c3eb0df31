"""The form of an upload."""

from typing import Annotated

from pydantic import Field

from guvercin.api.wire.ground import Asked
from guvercin.locale import sentence


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
