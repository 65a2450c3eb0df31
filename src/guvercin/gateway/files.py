"""The files of messages: taken once into the spool, sent from there.

A message may wait for hours, and the shop's software overwrites FTR-001.pdf meanwhile. Laws
1. What is sent is our copy, taken when the message was asked for. Nothing reads the sender's file afterwards.
2. A digest that `take` has answered is on the disk: content, name and folder are synced before it answers.
3. What a file is, its content says; a name that says otherwise is refused.
4. The spool knows no messages. `sweep` is told which digests are needed, and spares what is young.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import BinaryIO

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import File
from guvercin.gateway.jail import FILE_PATH, open_in_roots, refusal

UPLOAD = "file"
"""The field that refusals of an upload are about (`FieldFault.where`)."""

MAX_FILE_SIZE = 16 * 1024 * 1024
"""In bytes, unless the owner says otherwise. A line may carry less of some kinds (`Features.media`)."""

LONGEST_NAME = 255
"""In UTF-8 bytes: what every file system of a recipient can hold."""

EXTENSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "application/pdf": (".pdf",),
        "image/jpeg": (".jpg", ".jpeg"),
        "image/png": (".png",),
        "image/webp": (".webp",),
    },
)
"""What may be sent: media type -> the extensions that agree with it, the usual one first."""

_CHUNK = 256 * 1024
_GRACE = timedelta(milliseconds=20)
"""File systems count by the ticks of the kernel, which come a little behind the clock."""
_HEAD = 12  # the longest opening that `media_type` looks at
_INCOMING = ".incoming-"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def media_type(head: bytes) -> str | None:
    """Answer what a content is by its first 12 bytes, or None: nothing that may be sent."""
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def check_extension(kind: str | None, name: str, where: str) -> str:
    """Answer a media type that may be sent and that a file's name agrees with. Raises FILE_TYPE."""
    if kind is None or _split(name)[1].lower() not in EXTENSIONS[kind]:
        raise refusal(Code.FILE_TYPE, where)
    return kind


def shown_name(name: str, kind: str) -> str:
    """Answer the name that the recipient of a file of media type `kind` sees.

    The last part of a path of any system, composed, without control characters and invisible marks (one of them turns
    the reading direction, so that «fdp.exe» reads as «exe.pdf»), at most 255 bytes. Its extension agrees with `kind`:
    where it doesn't, the right one is added. Empty, if nothing is left of the name.
    """
    stem, extension = _split(name)
    if extension.lower() not in EXTENSIONS[kind]:
        stem, extension = stem + extension, EXTENSIONS[kind][0]
    if not stem:
        return ""
    room = LONGEST_NAME - len(extension)
    return stem.encode()[:room].decode(errors="ignore").rstrip() + extension


def _split(name: str) -> tuple[str, str]:
    """Answer the stem and the extension (with its dot) of a name's readable part."""
    last = re.split(r"[/\\]", name)[-1]
    kept = (" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in last)
    readable = "".join(letter for letter in kept if unicodedata.category(letter) not in {"Cf", "Cs"})
    tidy = PurePosixPath(unicodedata.normalize("NFC", " ".join(readable.split()).strip(". ")))
    return tidy.stem, tidy.suffix


class Spool:
    """Our copies, each named for its content: `<folder>/<first two hex digits>/<SHA-256>`, private to this user.

    `max_size` (bytes) bounds every copy. Everything here blocks: call it in a thread.
    """

    def __init__(self, folder: Path, *, max_size: int = MAX_FILE_SIZE) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)
        self.max_size = max_size
        self._folder = folder
        self._names = threading.Lock()  # a sweep must not remove a name that a copy has just taken

    def take(self, chunks: Iterable[bytes], name: str, *, where: str) -> File:
        """Copy a content into the spool; the same content again costs no more room.

        `name` is the sender's name for it and `where` the field that a refusal is about. Raises GuvercinError:
        FILE_TOO_LARGE, FILE_TYPE, and STORE_UNAVAILABLE when the disk doesn't take it. A refusal leaves nothing behind.
        """
        try:
            return self._take(chunks, name, where)
        except OSError as error:
            raise GuvercinError(Code.STORE_UNAVAILABLE) from error

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Make an empty file that somebody else fills, and that `adopt` takes; it is gone at the end if nobody did.

        OSError: the disk doesn't take it.
        """
        descriptor, made = tempfile.mkstemp(prefix=_INCOMING, dir=self._folder)
        os.close(descriptor)
        try:
            yield Path(made)
        finally:
            Path(made).unlink(missing_ok=True)

    def adopt(self, incoming: Path) -> str:
        """Give a file that came in a place in the spool, whatever it is; answers its digest. OSError."""
        with incoming.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        self._publish(incoming, self.path(digest))
        return digest

    def path(self, digest: str) -> Path:
        """Answer where the copy with this digest lies. Raises ValueError for what is no digest."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("not a SHA-256 in lower-case hex")
        return self._folder / digest[:2] / digest

    def has(self, digest: str) -> bool:
        """Say whether there is a copy with this digest; the digest may be anything that a client wrote."""
        return _DIGEST.fullmatch(digest) is not None and self.path(digest).is_file()

    def discard(self, digests: Iterable[str], *, taken_before: datetime) -> int:
        """Remove copies; answers how many. Messages share copies: the caller knows that no other one needs these.

        One that was taken again since that moment is spared: somebody needs it now.
        """
        oldest = (taken_before - _GRACE).timestamp()
        return sum(self._remove_if_older(self.path(digest), oldest) for digest in digests)

    def sweep(self, *, keep: Collection[str], older_than: timedelta, now: datetime) -> int:
        """Remove copies that are not in `keep`, and halves that a crash left; answer how many.

        Only what was last taken more than `older_than` before `now` goes: it must be longer than a message needs from
        its copy to its row, and than an upload may wait for its message. Ages are by the file system's clock.
        """
        needed = frozenset(keep)
        oldest = (now - older_than).timestamp()
        return sum(self._remove_if_older(path, oldest) for path in self._leaves() if path.name not in needed)

    def _take(self, chunks: Iterable[bytes], name: str, where: str) -> File:
        descriptor, made = tempfile.mkstemp(prefix=_INCOMING, dir=self._folder)
        incoming = Path(made)
        try:
            with os.fdopen(descriptor, "wb") as copy:
                digest, size, head = self._copy(chunks, copy, where)
                kind = check_extension(media_type(head), name, where)
                copy.flush()
                os.fsync(copy.fileno())
            self._publish(incoming, self.path(digest))
        finally:
            incoming.unlink(missing_ok=True)  # gone already, if it got its name
        return File(digest=digest, name=shown_name(name, kind), media_type=kind, size=size)

    def _copy(self, chunks: Iterable[bytes], copy: BinaryIO, where: str) -> tuple[str, int, bytes]:
        """Answer the digest, the size and the first bytes of what was copied. A file that grows is read no further."""
        sha256, size, head = hashlib.sha256(), 0, b""
        for chunk in chunks:
            size += len(chunk)
            if size > self.max_size:
                raise refusal(Code.FILE_TOO_LARGE, where)
            head += chunk[: _HEAD - len(head)]
            sha256.update(chunk)
            copy.write(chunk)
        return sha256.hexdigest(), size, head

    def _publish(self, incoming: Path, target: Path) -> None:
        """Give a synced copy its name. A copy that is there already is replaced: its age starts anew."""
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with self._names:
            incoming.replace(target)
        _sync(target.parent)
        _sync(self._folder)

    def _leaves(self) -> Iterator[Path]:
        """List what is ours to sweep; what somebody else has put here is not."""
        yield from self._folder.glob(f"{_INCOMING}*")
        yield from (path for path in self._folder.glob("??/*") if _DIGEST.fullmatch(path.name))

    def _remove_if_older(self, path: Path, oldest: float) -> bool:
        with self._names:
            try:
                is_old = path.stat().st_mtime < oldest
                if is_old:
                    path.unlink()
            except FileNotFoundError:  # a copy that was under way has got its name
                return False
        return is_old


class Files:
    """The two ways by which a file enters: a path below the owner's roots, and an upload.

    Raises NotADirectoryError for a root that is not there: better at the start than at the first invoice.
    """

    def __init__(self, *, spool: Spool, roots: Sequence[Path]) -> None:
        for root in roots:
            if not root.is_dir():
                raise NotADirectoryError(str(root))
        self.spool = spool
        self._roots = tuple(roots)

    async def from_path(self, asked: str, name: str | None = None) -> File:
        """Take the file that a client names (`dosya_yolu`); `name` is what the recipient sees instead of its own.

        Raises GuvercinError: NO_FILE_ROOT, FILE_NOT_OPENED, FILE_TOO_LARGE, FILE_TYPE, STORE_UNAVAILABLE.
        """
        file = await asyncio.to_thread(self._take_from_root, asked)
        return file if name is None else self.renamed(file, name)

    async def look(self, asked: str) -> None:
        """Look whether `from_path` would take this file, without taking it. Raises as it does."""
        await asyncio.to_thread(self._look_into_root, asked)

    @staticmethod
    def renamed(file: File, name: str) -> File:
        """Answer the file under the name that its recipient shall see; an unreadable name changes nothing."""
        return replace(file, name=shown_name(name, file.media_type) or file.name)

    async def from_upload(self, stream: BinaryIO, name: str) -> File:
        """Take a content that a client sends, from a blocking stream; `name` is the client's name for it.

        The digest of the answer is the upload's id. Raises GuvercinError: FILE_TOO_LARGE, FILE_TYPE, STORE_UNAVAILABLE.
        """
        return await asyncio.to_thread(self.spool.take, _pieces(stream), name, where=UPLOAD)

    def _look_into_root(self, asked: str) -> None:
        descriptor = open_in_roots(self._roots, asked, max_size=self.spool.max_size)
        with os.fdopen(descriptor, "rb", buffering=0) as source:
            head = next(_readable(iter(partial(source.read, _HEAD), b"")), b"")
        check_extension(media_type(head), asked, FILE_PATH)

    def _take_from_root(self, asked: str) -> File:
        descriptor = open_in_roots(self._roots, asked, max_size=self.spool.max_size)
        with os.fdopen(descriptor, "rb", buffering=0) as source:
            return self.spool.take(_readable(_pieces(source)), asked, where=FILE_PATH)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    return iter(partial(stream.read, _CHUNK), b"")


def _readable(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on what a sender's disk yields. Trouble there is the file's, not the spool's."""
    try:
        yield from pieces
    except OSError as error:
        raise refusal(Code.FILE_NOT_OPENED, FILE_PATH) from error


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
