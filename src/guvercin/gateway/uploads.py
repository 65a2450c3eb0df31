"""Files that come with messages: uploaded before, or named by their path."""

from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import BinaryIO

from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.message import File
from guvercin.core.token import Token
from guvercin.gateway.admission import Admission
from guvercin.gateway.clock import Clock
from guvercin.gateway.files import Files
from guvercin.gateway.requests import FilePath, Upload, UploadedFile
from guvercin.store.store import Store


class Uploads:
    """One business's uploaded files, and the files that requests name."""

    def __init__(self, *, store: Store, files: Files, admission: Admission, clock: Clock, rng: Random) -> None:
        self._store = store
        self._files = files
        self._admission = admission
        self._clock = clock
        self._rng = rng

    async def keep(self, token: Token, stream: BinaryIO, name: str) -> Upload:
        """Keep an uploaded file for a week; its id stands where a path would."""
        self._admission.check_open()
        file = await self._files.from_upload(stream, name)
        upload_id = self._rng.randbytes(16).hex()
        await self._store.keep_upload(upload_id, token.id, file, now=self._clock.now())
        return Upload(id=upload_id, name=file.name, media_type=file.media_type, size=file.size)

    async def file(self, token: Token, asked: FilePath | UploadedFile, name: str | None) -> File:
        """Answer the file that a request names. FILE_NOT_OPENED, FILE_TYPE, FILE_TOO_LARGE."""
        if isinstance(asked, FilePath):
            return await self._files.from_path(asked.path, name)
        kept = await self._store.upload(asked.id)
        if kept is None or kept.token_id != token.id or not self.keeps(kept.file):
            raise GuvercinError(Code.FILE_NOT_OPENED, faults=(FieldFault("file_id", Code.FILE_NOT_OPENED.value),))
        return kept.file if name is None else self._files.renamed(kept.file, name)

    def keeps(self, file: File) -> bool:
        """Say whether the copy of a file is still there."""
        return self._files.spool.has(file.digest)
