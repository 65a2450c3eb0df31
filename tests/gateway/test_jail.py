"""The jail: whatever a client writes, only plain files below the root open. Both openers give the same verdicts."""

import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from errno import EACCES, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSYS, EPERM
from pathlib import Path
from random import Random  # noqa: TID251 -- each round has its own seed

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rounds import rounds

from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.gateway.jail import LONGEST_PATH, Opener, open_beneath, open_by_kernel, open_by_walk, open_in_roots

INSIDE = ("faturalar/FTR-001.pdf", "Şubat/İğne üçgen.pdf", "a/b/c/d.pdf", "x.pdf", "..x.pdf", "...", "%2e%2e")
OPENERS = {"kernel": open_by_kernel, "walk": open_by_walk}
CAP = 1000


def has_openat2() -> bool:
    here = os.open("/", os.O_RDONLY)
    try:
        os.close(open_by_kernel(here, b"proc"))
    except OSError as error:
        if error.errno not in {ENOSYS, EPERM}:
            raise
        return False
    finally:
        os.close(here)
    return True


@pytest.fixture(params=sorted(OPENERS))
def opener(request: pytest.FixtureRequest) -> Opener:
    if request.param == "kernel" and not has_openat2():
        pytest.skip("this machine has no openat2: it always takes the walk")
    return OPENERS[request.param]


@dataclass(frozen=True)
class Tree:
    """A root full of traps beside a folder that must stay closed."""

    root: Path
    outside: Path
    inside: frozenset[tuple[int, int]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    top = tmp_path_factory.mktemp("jail")
    root, outside = top / "kök", top / "outside"
    outside.mkdir()
    for name in ("secret.pdf", "linked.pdf"):
        (outside / name).write_bytes(b"%PDF-secret")
    for name in INSIDE:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF-" + name.encode())
    inside = frozenset(identity((root / name).stat()) for name in INSIDE)

    (root / "out.pdf").symlink_to(outside / "secret.pdf")
    (root / "out-relative.pdf").symlink_to("../outside/secret.pdf")
    (root / "in.pdf").symlink_to("x.pdf")
    (root / "dangling.pdf").symlink_to("nowhere.pdf")
    (root / "loop.pdf").symlink_to("loop.pdf")
    (root / "outside").symlink_to(outside)
    (root / "up").symlink_to("..")
    (root / "self").symlink_to(".")
    (root / "proc").symlink_to("/proc")
    (root / "hard.pdf").hardlink_to(outside / "linked.pdf")
    os.mkfifo(root / "fifo.pdf")
    os.mknod(root / "socket.pdf", stat.S_IFSOCK | 0o600)
    (root / "folder.pdf").mkdir()
    for name in ("back\\slash.pdf", "line\nfeed.pdf", "next\x85line.pdf"):  # files that a file system allows
        (root / name).write_bytes(b"%PDF-")
    (root / "large.pdf").write_bytes(b"%PDF-".ljust(CAP + 1))
    return Tree(root=root, outside=outside, inside=inside)


def identity(opened: os.stat_result) -> tuple[int, int]:
    return opened.st_dev, opened.st_ino


def verdict(root: Path, asked: str, opener: Opener) -> tuple[int, int] | Code:
    """Answer which file opened, or the code of the refusal. Everything is closed again."""
    try:
        found = open_in_roots([root], asked, max_size=CAP, opener=opener)
    except GuvercinError as error:
        refused = error
    else:
        with os.fdopen(found, "rb"):
            return identity(os.fstat(found))
    assert refused.faults == (FieldFault("file_path", refused.code.value),)
    return refused.code


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("form", ["{}", "/{}", "///{}", "./{}", "/./{}", "//.//{}"])
def test_opens_what_lies_inside(tree: Tree, opener: Opener, name: str, form: str) -> None:
    assert verdict(tree.root, form.format(name), opener) == identity((tree.root / name).stat())


ATTACKS = {
    "parent": "..",
    "parent of the root": "/..",
    "out by the parent": "../outside/secret.pdf",
    "out from a folder": "a/../../outside/secret.pdf",
    "out by many": "../" * 60 + "etc/passwd",
    "a parent that stays inside": "a/../x.pdf",
    "a parent at the end": "a/..",
    "absolute": "/etc/passwd",
    "twice absolute": "//etc/passwd",
    "absolute and real": "{outside}/secret.pdf",
    "symlink out": "out.pdf",
    "relative symlink out": "out-relative.pdf",
    "symlink in": "in.pdf",
    "dangling symlink": "dangling.pdf",
    "symlink to itself": "loop.pdf",
    "symlinked folder": "outside/secret.pdf",
    "symlink to the parent": "up/outside/secret.pdf",
    "symlink to the root": "self/x.pdf",
    "hard link to the outside": "hard.pdf",
    "FIFO": "fifo.pdf",
    "socket": "socket.pdf",
    "folder": "folder.pdf",
    "folder with children": "a/b",
    "folder with a slash": "a/",
    "file with a slash": "x.pdf/",
    "file with a dot below": "x.pdf/.",
    "file as a folder": "x.pdf/y.pdf",
    "root": "/",
    "many slashes": "////",
    "dot": ".",
    "dot below": "/a/.",
    "empty": "",
    "blank": " ",
    "NUL cuts the path": "x.pdf\0.png",
    "NUL at the end": "x.pdf\0",
    "NUL at the start": "\0x.pdf",
    "backslash in a name": "back\\slash.pdf",
    "line feed in a name": "line\nfeed.pdf",
    "C1 control in a name": "next\x85line.pdf",
    "backslash": "faturalar\\FTR-001.pdf",
    "backslash parent": "..\\outside\\secret.pdf",
    "drive": "C:/x.pdf",
    "line feed": "x.pdf\n",
    "tab": "\tx.pdf",
    "escape": "x.pdf\x1b[2J",
    "delete": "x.pdf\x7f",
    "next line": "x.pdf\x85",
    "lone surrogate": "x.pdf\ud800",
    "surrogate escape": "x\udcff.pdf",
    "over-long": "x" * (LONGEST_PATH + 1),
    "over-long in bytes": "ş" * (LONGEST_PATH // 2) + "x",
    "over-long and true": "/" * LONGEST_PATH + "x.pdf",
    "over-long component": "x" * 256,
    "another case": "FATURALAR/ftr-001.PDF",
    "decomposed letters": "S\u0327ubat/I\u0307g\u0306ne u\u0308c\u0327gen.pdf",
    "percent escapes": "%2e%2e/outside/secret.pdf",
    "tilde": "~/x.pdf",
    "variable": "$HOME/x.pdf",
    "wildcard": "*.pdf",
    "URL": "file:///etc/passwd",
    "magic link by a symlink": "proc/self/root/etc/passwd",
    "missing": "missing.pdf",
    "missing folder": "missing/x.pdf",
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_refuses_with_one_word(tree: Tree, opener: Opener, attack: str) -> None:
    asked = ATTACKS[attack].replace("{outside}", str(tree.outside))
    assert verdict(tree.root, asked, opener) is Code.FILE_NOT_OPENED


def test_longest_path_opens(tree: Tree, opener: Opener) -> None:
    asked = "/" * (LONGEST_PATH - len("x.pdf")) + "x.pdf"
    assert verdict(tree.root, asked, opener) == identity((tree.root / "x.pdf").stat())


@pytest.mark.parametrize("device", ["null", "zero", "tty"])
def test_refuses_devices(opener: Opener, device: str) -> None:
    assert verdict(Path("/dev"), device, opener) is Code.FILE_NOT_OPENED


@pytest.mark.parametrize(
    "link",
    [
        "exe",
        "cwd",
        str(Path("root", "etc", "passwd")),
        "fd/{fd}",
        "task/{pid}/exe",
        str(Path("task/{pid}", "root", "etc", "passwd")),
    ],
)
def test_refuses_magic_links(tree: Tree, opener: Opener, link: str) -> None:
    with (tree.root / "x.pdf").open("rb") as held:
        asked = link.format(fd=held.fileno(), pid=os.getpid())
        assert (Path("/proc/self") / asked).exists()  # the trap is set
        assert verdict(Path("/proc/self"), asked, opener) is Code.FILE_NOT_OPENED


def test_hard_link_between_two_inside_files_is_refused_too(tmp_path: Path, opener: Opener) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    (tmp_path / "b.pdf").hardlink_to(tmp_path / "a.pdf")
    assert verdict(tmp_path, "a.pdf", opener) is Code.FILE_NOT_OPENED


def test_large_file_is_named_so(tree: Tree, opener: Opener) -> None:
    assert verdict(tree.root, "large.pdf", opener) is Code.FILE_TOO_LARGE


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """Lend a folder, and be nobody while it lasts: for root nothing is unreadable."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for closed, mode in (("closed", 0o000), ("pass", 0o311)):
            (folder / closed).mkdir()
            (folder / closed / "x.pdf").write_bytes(b"%PDF-")
            (folder / closed).chmod(mode)
        (folder / "unreadable.pdf").write_bytes(b"%PDF-")
        (folder / "unreadable.pdf").chmod(0o000)
        folder.chmod(0o755)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(before)
            (folder / "closed").chmod(0o700)
            (folder / "pass").chmod(0o700)


def test_unreadable_is_as_good_as_missing(as_nobody: Path, opener: Opener) -> None:
    with pytest.raises(PermissionError):
        (as_nobody / "unreadable.pdf").open()
    assert verdict(as_nobody, "unreadable.pdf", opener) is Code.FILE_NOT_OPENED
    assert verdict(as_nobody, "closed/x.pdf", opener) is Code.FILE_NOT_OPENED


def test_folder_that_may_be_passed_but_not_listed_is_passed(as_nobody: Path, opener: Opener) -> None:
    assert verdict(as_nobody, "pass/x.pdf", opener) == identity((as_nobody / "pass/x.pdf").stat())


def test_first_root_that_opens_wins(tmp_path: Path, opener: Opener) -> None:
    first, second, third = (tmp_path / name for name in "123")
    for root in (first, second, third):
        root.mkdir()
    (first / "x.pdf").symlink_to("/etc/passwd")
    (second / "x.pdf").write_bytes(b"%PDF-2")
    (third / "x.pdf").write_bytes(b"%PDF-3")
    found = open_in_roots([tmp_path / "gone", first, second, third], "/x.pdf", max_size=CAP, opener=opener)
    with os.fdopen(found, "rb") as opened:
        assert opened.read() == b"%PDF-2"


def test_root_may_be_a_symlink(tree: Tree, tmp_path: Path, opener: Opener) -> None:
    (tmp_path / "link").symlink_to(tree.root)
    assert verdict(tmp_path / "link", "x.pdf", opener) == identity((tree.root / "x.pdf").stat())


def test_without_roots_the_owner_is_asked_for_one() -> None:
    with pytest.raises(GuvercinError) as caught:
        open_in_roots([], "x.pdf", max_size=CAP)
    assert caught.value.code is Code.NO_FILE_ROOT


@pytest.mark.parametrize("trouble", [EMFILE, ENFILE, ENOMEM])
def test_a_lack_of_descriptors_is_not_the_file_s_fault(tree: Tree, trouble: int) -> None:
    """A sender whose invoice can't be opened gives up; one who hears that we can't accept comes again."""

    def exhausted(_root: int, _path: bytes) -> int:
        raise OSError(trouble, os.strerror(trouble))

    with pytest.raises(GuvercinError, match=Code.STORE_UNAVAILABLE.value):
        open_in_roots([tree.root], "x.pdf", max_size=CAP, opener=exhausted)


def test_root_that_is_gone_is_as_good_as_missing(tmp_path: Path, opener: Opener) -> None:
    assert verdict(tmp_path / "gone", "x.pdf", opener) is Code.FILE_NOT_OPENED


@pytest.mark.parametrize("answer", [ENOSYS, EPERM])
def test_walks_where_the_kernel_has_no_jail(tree: Tree, answer: int) -> None:
    def kernel(_root: int, _path: bytes) -> int:
        raise OSError(answer, os.strerror(answer))

    def opener(root: int, path: bytes) -> int:
        return open_beneath(root, path, kernel=kernel)

    assert verdict(tree.root, "a/b/c/d.pdf", opener) == identity((tree.root / "a/b/c/d.pdf").stat())
    assert verdict(tree.root, "outside/secret.pdf", opener) is Code.FILE_NOT_OPENED


@pytest.mark.parametrize("answer", [ENOENT, EACCES])
def test_kernel_verdict_is_final(tree: Tree, answer: int) -> None:
    def kernel(_root: int, _path: bytes) -> int:
        raise OSError(answer, os.strerror(answer))

    assert (
        verdict(tree.root, "x.pdf", lambda root, path: open_beneath(root, path, kernel=kernel)) is Code.FILE_NOT_OPENED
    )


def test_openers_stand_alone(tree: Tree, opener: Opener) -> None:
    """The second lock: an opener refuses the parent even if the string were not looked at before."""
    root = os.open(tree.root, os.O_RDONLY)
    try:
        for path in (b"../outside/secret.pdf", b"a/../../outside/secret.pdf"):
            with pytest.raises(OSError, match="Invalid cross-device link"):
                opener(root, path)
    finally:
        os.close(root)


def test_leaks_no_descriptor(tree: Tree, opener: Opener) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for asked in (*INSIDE, *ATTACKS.values(), "large.pdf"):
        verdict(tree.root, asked, opener)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_swapping_under_our_feet_opens_nothing_outside(tmp_path: Path, opener: Opener) -> None:
    """A folder and a symlink to the outside change places all the time, also between two steps of the walk."""
    outside, root = tmp_path / "outside", tmp_path / "root"
    for folder in (outside, root / "real"):
        folder.mkdir(parents=True)
        (folder / "x.pdf").write_bytes(b"%PDF-")
    (root / "trap").symlink_to(outside)
    inside = identity((root / "real/x.pdf").stat())
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            (root / "real").rename(root / "door")
            (root / "door").rename(root / "real")
            (root / "trap").rename(root / "door")
            (root / "door").rename(root / "trap")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        verdicts = {verdict(root, "door/x.pdf", opener) for _ in range(rounds(2_000, 200_000))}
    finally:
        done.set()
        swapper.join()
    assert verdicts <= {inside, Code.FILE_NOT_OPENED}


NASTY = (
    *("..", ".", "", "...", "..x.pdf", "a", "b", "c", "d.pdf", "x.pdf", "faturalar", "FTR-001.pdf", "Şubat"),
    *("İğne üçgen.pdf", "out.pdf", "in.pdf", "out-relative.pdf", "outside", "secret.pdf", "linked.pdf", "up", "self"),
    *("hard.pdf", "fifo.pdf", "socket.pdf", "folder.pdf", "large.pdf", "loop.pdf", "dangling.pdf", "kök", "proc"),
    *(
        "root",
        "cwd",
        "fd",
        "0",
        "etc",
        "passwd",
        "tmp",
        "%2e%2e",
        "%2f",
        "~",
        "*",
        "C:",
        " ",
        "\0",
        "\n",
        "\x7f",
        "\x85",
    ),
    *("\ud800", "\udcff", "\u202e", "\u2215", "\uff0f", "\u2024\u2024", "e\u0301", "x" * 255, "ş" * 128, "x" * 1020),
)
SEPARATORS = ("/", "/", "/", "/", "//", "/./", "\\", "", "\0", "/../")


def opens_inside(tree: Tree, asked: str) -> bool:
    """Say whether a file opened: both openers agree, and it is one of those that are known to lie inside."""
    kernel, walk = (verdict(tree.root, asked, opener) for opener in (open_beneath, open_by_walk))
    assert kernel == walk, ascii(asked)
    assert isinstance(kernel, Code) or kernel in tree.inside, ascii(asked)
    return not isinstance(kernel, Code)


@given(
    pieces=st.lists(st.tuples(st.sampled_from(SEPARATORS), st.sampled_from(NASTY) | st.text(max_size=8)), max_size=9),
)
@settings(max_examples=rounds(2_000, 20_000), deadline=None)
def test_nothing_outside_ever_opens(tree: Tree, pieces: list[tuple[str, str]]) -> None:
    opens_inside(tree, "".join(separator + name for separator, name in pieces))


def test_nothing_outside_opens_in_many_rounds(tree: Tree) -> None:
    """Round n is replayed by `nasty_path(Random(n))`; a failure shows the path itself."""
    opened = sum(opens_inside(tree, nasty_path(Random(seed))) for seed in range(rounds(100_000, 1_000_000)))
    assert opened > 10  # the rounds do reach files


def nasty_path(rng: Random) -> str:
    return "".join(rng.choice(SEPARATORS) + rng.choice(NASTY) for _ in range(rng.randint(1, 6)))
