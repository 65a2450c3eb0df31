"""From uploaded files to their answers."""

from guvercin.api.answers.files import UploadAnswer
from guvercin.gateway.requests import Upload


def upload_answer(stored: Upload) -> UploadAnswer:
    """Answer an uploaded file."""
    return UploadAnswer(ok=True, id=stored.id, name=stored.name, media_type=stored.media_type, size=stored.size)
