"""What is kept for a request to come: uploaded files, and bulk requests that are not made yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from guvercin.core.message import File


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """An uploaded file and whose it is."""

    id: str
    token_id: int
    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInShort:
    """A bulk request that is not made yet: its beginning, and how long it is."""

    id: str
    beginning: bytes
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDraft:
    """A bulk request that is not made yet, as the JSON that would make it, and whose it is."""

    id: str
    token_id: int
    request: bytes
    created_at: datetime


class Uploads(Protocol):
    """Uploaded files, and bulk requests that are not made yet."""

    async def keep_upload(self, upload_id: str, token_id: int, file: File, *, now: datetime) -> None:
        """Remember an uploaded file."""

    async def upload(self, upload_id: str) -> KeptFile | None:
        """Answer an uploaded file."""

    async def spool_digests(self) -> frozenset[str]:
        """Answer the digests of files that a message or an upload may still need."""

    async def keep_draft(self, draft_id: str, token_id: int, request: bytes, *, now: datetime) -> None:
        """Remember a bulk request that is not made yet; of one token's only the newest few are kept."""

    async def draft(self, draft_id: str) -> KeptDraft | None:
        """Answer a bulk request that is not made yet."""

    async def drafts(self, token_id: int, *, since: datetime, path: str) -> Sequence[DraftInShort]:
        """Answer a token's drafts, the newest first, but for those that were started by a request to `path`."""
