"""The spool and the ways into it: what was taken stays as it was, and what was refused leaves nothing."""

import hashlib
import io
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from unicodedata import category, normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rounds import rounds

from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.core.message import File
from guvercin.gateway.files import EXTENSIONS, LONGEST_NAME, Files, Spool, media_type, shown_name

PDF = b"%PDF-1.7\n" + b"fatura " * 1000
JPEG = b"\xff\xd8\xff\xe0" + b"j" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + b"w" * 100
CONTENTS = {"application/pdf": PDF, "image/jpeg": JPEG, "image/png": PNG, "image/webp": WEBP}

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", max_size=20_000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def files(spool: Spool, root: Path) -> Files:
    return Files(spool=spool, roots=[root])


def take(spool: Spool, content: bytes, name: str = "fatura.pdf") -> File:
    return spool.take([content], name, where="file")


def leftovers(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def age(path: Path, days: float, now: datetime = NOW) -> None:
    moment = (now - days * DAY).timestamp()
    os.utime(path, (moment, moment))


def time_of_the_disk(path: Path) -> datetime:
    """Answer what time a file system gives to what is written now: the only clock that a fresh copy knows."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


# -- what a copy is


def test_a_copy_is_named_for_its_content_and_is_ours_alone(spool: Spool, tmp_path: Path) -> None:
    file = take(spool, PDF, "Şubat faturası.pdf")
    digest = hashlib.sha256(PDF).hexdigest()
    assert file == File(digest=digest, name="Şubat faturası.pdf", media_type="application/pdf", size=len(PDF))
    path = tmp_path / "spool" / digest[:2] / digest
    assert spool.path(digest) == path
    assert path.read_bytes() == PDF
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, tmp_path / "spool")} == {0o700}
    assert leftovers(tmp_path) == [path]


def test_the_same_content_lies_there_once_under_any_name(spool: Spool, tmp_path: Path) -> None:
    first, second = take(spool, PDF, "a.pdf"), take(spool, PDF, "b.pdf")
    assert (first.digest, first.name, second.name) == (second.digest, "a.pdf", "b.pdf")
    assert leftovers(tmp_path) == [spool.path(first.digest)]


def test_a_damaged_copy_is_healed_by_the_next_one(spool: Spool) -> None:
    file = take(spool, PDF)
    spool.path(file.digest).write_bytes(b"rotten")
    take(spool, PDF)
    assert spool.path(file.digest).read_bytes() == PDF


def test_an_open_spool_is_found_again_after_a_restart(spool: Spool, tmp_path: Path) -> None:
    file = take(spool, PDF)
    assert Spool(tmp_path / "spool").has(file.digest)


def test_two_copies_of_one_content_at_the_same_time(spool: Spool, tmp_path: Path) -> None:
    both_are_half_way = threading.Barrier(2, timeout=10)
    taken: list[File] = []

    def halves() -> Iterator[bytes]:
        yield PDF[:1000]
        both_are_half_way.wait()
        yield PDF[1000:]
        both_are_half_way.wait()

    threads = [threading.Thread(target=lambda: taken.append(spool.take(halves(), "x.pdf", where="file"))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 2
    assert taken[0] == taken[1]
    assert leftovers(tmp_path) == [spool.path(taken[0].digest)]
    assert spool.path(taken[0].digest).read_bytes() == PDF


# -- what a content is


@pytest.mark.parametrize("kind", sorted(EXTENSIONS))
def test_content_says_what_it_is(spool: Spool, kind: str) -> None:
    for extension in EXTENSIONS[kind]:
        for name in (f"x{extension}", f"x{extension.upper()}"):
            file = take(spool, CONTENTS[kind], name)
            assert (file.media_type, file.name) == (kind, name)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11])
@pytest.mark.parametrize("kind", sorted(EXTENSIONS))
def test_small_pieces_are_the_same_content(spool: Spool, kind: str, size: int) -> None:
    content = CONTENTS[kind]
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    assert spool.take(pieces, f"x{EXTENSIONS[kind][0]}", where="file").media_type == kind


def refused(spool: Spool, content: bytes, name: str) -> Code:
    with pytest.raises(GuvercinError) as caught:
        take(spool, content, name)
    assert caught.value.faults == (FieldFault("file", caught.value.code.value),)
    return caught.value.code


@pytest.mark.parametrize("kind", sorted(EXTENSIONS))
@pytest.mark.parametrize(
    "name", ["x", "x.", "x.exe", "x.pdf.exe", ".pdf", "x.gif", "x.pdf/", "x.pdf\\", "", "x.pdf\u0131", "x.pd"]
)
def test_a_name_that_says_otherwise_is_refused(spool: Spool, tmp_path: Path, kind: str, name: str) -> None:
    assert refused(spool, CONTENTS[kind], name) is Code.FILE_TYPE
    assert leftovers(tmp_path) == []


def test_each_kind_agrees_with_its_own_extensions_only(spool: Spool) -> None:
    for kind, content in CONTENTS.items():
        for other in set(EXTENSIONS) - {kind}:
            assert refused(spool, content, f"x{EXTENSIONS[other][0]}") is Code.FILE_TYPE


OTHERS = (
    b"",
    b"%",
    b"%PDF",
    b" %PDF-1.7",
    b"%pdf-1.7",
    b"MZ\x90\x00",
    b"PK\x03\x04",
    b"<svg/>",
    b"GIF89a",
    b"\xff\xd8",
)


@pytest.mark.parametrize("content", [*OTHERS, PNG[:7], WEBP[:11]])
def test_any_other_content_is_refused(spool: Spool, tmp_path: Path, content: bytes) -> None:
    assert media_type(content[:12]) is None
    for extension in (".pdf", ".jpg", ".png", ".webp", ".exe"):
        assert refused(spool, content, f"x{extension}") is Code.FILE_TYPE
    assert leftovers(tmp_path) == []


# -- how large it may be


def test_the_last_byte_that_fits_and_the_first_that_does_not(spool: Spool, tmp_path: Path) -> None:
    file = take(spool, PDF.ljust(spool.max_size))
    assert file.size == spool.max_size
    assert refused(spool, PDF.ljust(spool.max_size + 1), "x.pdf") is Code.FILE_TOO_LARGE
    assert leftovers(tmp_path) == [spool.path(file.digest)]


def test_a_file_that_grows_while_it_is_read_is_read_no_further(spool: Spool, tmp_path: Path) -> None:
    growing = tmp_path / "growing.pdf"
    growing.write_bytes(b"%PDF-")

    def chunks() -> Iterator[bytes]:
        with growing.open("rb", buffering=0) as source, growing.open("ab", buffering=0) as writer:
            while chunk := source.read(1000):
                writer.write(b"x" * 2000)
                yield chunk

    with pytest.raises(GuvercinError) as caught:
        spool.take(chunks(), "growing.pdf", where="file")
    assert caught.value.code is Code.FILE_TOO_LARGE
    assert growing.stat().st_size < 3 * spool.max_size
    assert leftovers(tmp_path) == [growing]


def test_an_endless_stream_ends(spool: Spool) -> None:
    with pytest.raises(GuvercinError) as caught:
        spool.take(repeat(b"%PDF-"), "x.pdf", where="file")
    assert caught.value.code is Code.FILE_TOO_LARGE


# -- the disk

ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from guvercin.core.errors import GuvercinError
from guvercin.gateway.files import Spool

folder = Path(sys.argv[1])
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
spool = Spool(folder / "spool")
try:
    spool.take([b"%PDF-", *[b"x" * 10_000] * 100], "x.pdf", where="file")
except GuvercinError as error:
    left = [path for path in folder.rglob("*") if path.is_file()]
    after = spool.take([b"%PDF-", b"x" * 10_000], "x.pdf", where="file")
    print(error.code.value, error.__cause__.errno, error.faults, left, spool.has(after.digest))
"""


def test_a_copy_that_hits_the_size_limit_leaves_nothing_behind(tmp_path: Path) -> None:
    """Where nothing may be mounted, the limit of a process on its files (EFBIG) plays the full disk."""
    said = subprocess.check_output([sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path), "limit"], text=True)
    assert said.split(maxsplit=2) == ["kayit_yapilamadi", "27", "() [] True\n"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """A file system of 256 kB, in a mount namespace of the child's own: it ends with the child."""
    unshare, mount, shell = (shutil.which(name) for name in ("unshare", "mount", "sh"))
    if not (unshare and mount and shell):
        pytest.skip("needs unshare and mount to make a small disk")
    alone = [unshare, "--user", "--map-root-user", "--mount", shell, "-c"]
    small = f'{mount} -t tmpfs -o size=256k tmpfs "$1"'
    if subprocess.run([*alone, small, "sh", str(tmp_path)], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk: the size limit of the test before plays it")
    child = [sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path), "disk"]
    said = subprocess.check_output([*alone, f'{small} && shift && exec "$@"', "sh", str(tmp_path), *child], text=True)
    assert said.split(maxsplit=2) == ["kayit_yapilamadi", "28", "() [] True\n"]


def test_a_source_that_breaks_leaves_nothing_behind(spool: Spool, tmp_path: Path) -> None:
    class BugError(Exception):
        pass

    def chunks() -> Iterator[bytes]:
        yield PDF
        raise BugError

    with pytest.raises(BugError):
        spool.take(chunks(), "x.pdf", where="file")
    assert leftovers(tmp_path) == []


# -- names on the disk


@pytest.mark.parametrize(
    "wrong", ["", "..", "../../etc/passwd", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n", "\0" * 64]
)
def test_what_is_no_digest_reaches_no_path(spool: Spool, wrong: str) -> None:
    assert not spool.has(wrong)
    with pytest.raises(ValueError, match="not a SHA-256"):
        spool.path(wrong)
    with pytest.raises(ValueError, match="not a SHA-256"):
        spool.discard([wrong], taken_before=LATER)


def test_discard_removes_a_copy_and_may_come_twice(spool: Spool) -> None:
    file = take(spool, PDF)
    assert spool.has(file.digest)
    assert spool.discard([file.digest, "f" * 64], taken_before=LATER) == 1
    assert spool.discard([file.digest], taken_before=LATER) == 0
    assert not spool.has(file.digest)


# -- sweeping


def test_sweep_removes_what_is_old_and_not_needed(spool: Spool, tmp_path: Path) -> None:
    kept, young, old = (take(spool, PDF + name) for name in (b"kept", b"young", b"old"))
    for file, days in ((kept, 9), (young, 0.9), (old, 1.1)):
        age(spool.path(file.digest), days)
    crashed, under_way = tmp_path / "spool/.incoming-crashed", tmp_path / "spool/.incoming-now"
    foreign = tmp_path / "spool/owner's note.txt"
    for path, days in ((crashed, 2), (under_way, 0), (foreign, 99)):
        path.write_bytes(b"half")
        age(path, days)
    assert spool.sweep(keep=[kept.digest], older_than=DAY, now=NOW) == 2
    expected = {spool.path(kept.digest), spool.path(young.digest), under_way, foreign}
    assert set(leftovers(tmp_path)) == expected
    assert spool.sweep(keep=[kept.digest], older_than=DAY, now=NOW) == 0


def test_a_copy_taken_again_is_young_again(spool: Spool) -> None:
    file = take(spool, PDF)
    now = time_of_the_disk(spool.path(file.digest))
    age(spool.path(file.digest), 99, now)
    take(spool, PDF)
    assert spool.sweep(keep=[], older_than=DAY, now=now) == 0
    assert spool.sweep(keep=[], older_than=DAY, now=now + 2 * DAY) == 1


def test_a_copy_cannot_come_between_the_look_at_its_age_and_its_removal(spool: Spool) -> None:
    """The sweep has seen that a copy is old; the same content is taken in that moment, and must survive."""
    digest = take(spool, PDF).digest
    now = time_of_the_disk(spool.path(digest))
    age(spool.path(digest), 99, now)
    taker = threading.Thread(target=take, args=(spool, PDF))

    class Oldest(float):
        """The bound that the age is compared with: here the other thread gets its chance."""

        def __gt__(self, age_seen: float) -> bool:
            taker.start()
            taker.join(timeout=0.2)  # it can't end before the sweep lets go; were it let in, it would within this time
            return float.__gt__(self, age_seen)

    assert spool._remove_if_older(spool.path(digest), Oldest(now.timestamp()))
    taker.join()
    assert spool.has(digest)


# -- what the recipient sees


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/faturalar/FTR-001.pdf", "FTR-001.pdf"),
        ("C:\\fakepath\\Teklif.PDF", "Teklif.PDF"),
        ("İğne üçgen ŞĞÜÖÇ.pdf", "İğne üçgen ŞĞÜÖÇ.pdf"),
        ("I\u0307g\u0306ne.pdf", "İğne.pdf"),
        ("a\nb\tc\x00d\x7fe.pdf", "a b c d e.pdf"),
        ("fatura\u202efdp.exe", "faturafdp.exe.pdf"),
        ("sıfır\u200bgenişlik.pdf", "sıfırgenişlik.pdf"),
        ("yarım\ud83d.pdf", "yarım.pdf"),
        ("Ekstre 2026.02", "Ekstre 2026.02.pdf"),
        ("Ekstre", "Ekstre.pdf"),
        ("resim.jpg", "resim.jpg.pdf"),
        ("  .gizli.pdf ", "gizli.pdf"),
        ("..", ""),
        ("", ""),
        ("klasör/", ""),
        ("\n", ""),
        ("ş" * 200 + ".pdf", "ş" * 125 + ".pdf"),
        ("x" * 300, "x" * 251 + ".pdf"),
        ("x." + "y" * 300, "x." + "y" * 249 + ".pdf"),
    ],
)
def test_name_that_the_recipient_sees(asked: str, seen: str) -> None:
    assert shown_name(asked, "application/pdf") == seen


@given(asked=st.text(max_size=400), kind=st.sampled_from(sorted(EXTENSIONS)))
@settings(max_examples=rounds(1_000, 20_000), deadline=None)
def test_every_name_is_fit_to_be_seen(asked: str, kind: str) -> None:
    seen = shown_name(asked, kind)
    assert len(seen.encode()) <= LONGEST_NAME
    assert not seen or seen.lower().endswith(EXTENSIONS[kind])
    assert not {"/", "\\"} & set(seen)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {category(letter) for letter in seen}
    assert normalize("NFC", seen) == seen
    assert shown_name(seen, kind) == seen


# -- the two ways in


async def test_from_path_takes_a_copy(files: Files, spool: Spool, root: Path) -> None:
    (root / "faturalar").mkdir()
    (root / "faturalar/FTR-001.pdf").write_bytes(PDF)
    file = await files.from_path("/faturalar/FTR-001.pdf")
    assert (file.name, file.media_type, file.size) == ("FTR-001.pdf", "application/pdf", len(PDF))
    assert spool.path(file.digest).read_bytes() == PDF


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Şubat faturanız", "Şubat faturanız.pdf"),
        ("x/y.pdf", "y.pdf"),
        ("", "FTR-001.pdf"),
        (" / ", "FTR-001.pdf"),
        (None, "FTR-001.pdf"),
    ],
)
async def test_sender_may_choose_the_name(files: Files, root: Path, name: str | None, seen: str) -> None:
    (root / "FTR-001.pdf").write_bytes(PDF)
    assert (await files.from_path("FTR-001.pdf", name)).name == seen


async def test_the_waiting_message_keeps_its_invoice(files: Files, spool: Spool, root: Path) -> None:
    """The shop's software writes tomorrow's invoice over today's, in place, while today's waits in line."""
    invoice = root / "FTR-001.pdf"
    invoice.write_bytes(PDF)
    waiting = await files.from_path("FTR-001.pdf")
    with invoice.open("r+b") as rewritten:
        rewritten.write(b"%PDF-1.7\nfor somebody else")
        rewritten.truncate()
    later = await files.from_path("FTR-001.pdf")
    invoice.unlink()
    assert later.digest != waiting.digest
    assert spool.path(waiting.digest).read_bytes() == PDF
    assert spool.path(later.digest).read_bytes() == b"%PDF-1.7\nfor somebody else"


async def refused_path(files: Files, asked: str) -> Code:
    with pytest.raises(GuvercinError) as caught:
        await files.from_path(asked)
    assert caught.value.faults == (FieldFault("file_path", caught.value.code.value),)
    return caught.value.code


async def test_refusals_of_a_path(files: Files, spool: Spool, root: Path, tmp_path: Path) -> None:
    (root / "large.pdf").write_bytes(PDF.ljust(spool.max_size + 1))
    (root / "program.pdf").write_bytes(b"MZ\x90\x00")
    (root / "fatura.txt").write_bytes(PDF)
    (root / "link.pdf").symlink_to("/etc/passwd")
    assert await refused_path(files, "large.pdf") is Code.FILE_TOO_LARGE
    assert await refused_path(files, "program.pdf") is Code.FILE_TYPE
    assert await refused_path(files, "fatura.txt") is Code.FILE_TYPE
    assert await refused_path(files, "link.pdf") is await refused_path(files, "missing.pdf") is Code.FILE_NOT_OPENED
    assert leftovers(tmp_path / "spool") == []


async def test_a_file_that_opens_and_cannot_be_read_is_not_opened(spool: Spool) -> None:
    files = Files(spool=spool, roots=[Path("/proc/self")])  # address 0 of our own memory: opens, and reading fails
    assert await refused_path(files, "mem") is Code.FILE_NOT_OPENED


async def test_without_roots_there_are_no_paths_but_uploads(spool: Spool) -> None:
    files = Files(spool=spool, roots=[])
    with pytest.raises(GuvercinError) as caught:
        await files.from_path("x.pdf")
    assert caught.value.code is Code.NO_FILE_ROOT
    assert spool.has((await files.from_upload(io.BytesIO(PDF), "x.pdf")).digest)


def test_a_root_must_be_there_at_the_start(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        Files(spool=spool, roots=[tmp_path, tmp_path / "nowhere"])


async def test_from_upload_takes_a_copy(files: Files, spool: Spool) -> None:
    file = await files.from_upload(io.BytesIO(PNG), "C:\\Users\\Ayşe\\afiş.png")
    assert (file.name, file.media_type) == ("afiş.png", "image/png")
    assert spool.path(file.digest).read_bytes() == PNG


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"MZ\x90\x00", Code.FILE_TYPE), (PDF.ljust(20_001), Code.FILE_TOO_LARGE), (b"", Code.FILE_TYPE)],
)
async def test_refusals_of_an_upload(files: Files, tmp_path: Path, content: bytes, code: Code) -> None:
    with pytest.raises(GuvercinError) as caught:
        await files.from_upload(io.BytesIO(content), "x.pdf")
    assert (caught.value.code, caught.value.faults) == (code, (FieldFault("file", code.value),))
    assert leftovers(tmp_path / "spool") == []
