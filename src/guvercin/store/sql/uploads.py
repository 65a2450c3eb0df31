"""Uploads and requests to come, over SQL: what each verb promises stands in store/verbs/uploads.py."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from guvercin.core.message import File
from guvercin.store import access, reading
from guvercin.store.sql.database import Database
from guvercin.store.verbs.uploads import DraftInShort, KeptDraft, KeptFile


class SqlUploads(Database):
    """See guvercin.store.verbs.uploads.Uploads."""

    async def keep_upload(self, upload_id: str, token_id: int, file: File, *, now: datetime) -> None:
        await self._writer.do(lambda tx: access.keep_upload(tx, upload_id, token_id, file, now=now))

    async def upload(self, upload_id: str) -> KeptFile | None:
        return await self._read(partial(access.find_upload, upload_id=upload_id))

    async def spool_digests(self) -> frozenset[str]:
        return await self._read(reading.spool_digests)

    async def keep_draft(self, draft_id: str, token_id: int, request: bytes, *, now: datetime) -> None:
        await self._writer.do(lambda tx: access.keep_draft(tx, draft_id, token_id, request, now=now))

    async def draft(self, draft_id: str) -> KeptDraft | None:
        return await self._read(partial(access.find_draft, draft_id=draft_id))

    async def drafts(self, token_id: int, *, since: datetime, path: str) -> Sequence[DraftInShort]:
        return await self._read(partial(access.drafts, token_id=token_id, since=since, path=path))
