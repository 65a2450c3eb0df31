"""A machine whose power can be cut: a VFS for SQLite that knows which of its writes a disk would still have.

What a program reads is in real files, which stand for the page cache. What the disk surely has is kept beside them:
a file's content at its last xSync, and a folder's names at its last sync. `cut` throws a die for everything in between.

Laws
1. Until its xSync a write may be lost, kept, or torn: of every sector of 512 bytes that it touches, each by itself.
   Bytes outside of a write are never harmed (SQLite calls this powersafe overwrite and, like us, assumes it).
2. A truncation, a new name and a deleted one may be lost or kept too. A journal's or a WAL's name is safe after its
   first xSync and a deletion after xDelete with `syncdir`, since SQLite's own VFS syncs the folder then.
3. After the cut every call fails until the power is back: nothing more can be promised.
"""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded

import apsw

SECTOR = 512

_NAME = "power"
_SYNCS_ITS_FOLDER = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


@dataclass(frozen=True, slots=True)
class Write:
    data: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Truncation:
    size: int


@dataclass(slots=True)
class Node:
    """A file: what the disk surely has of it, and what was done to it since."""

    kept: bytearray = field(default_factory=bytearray)
    since: list[Write | Truncation] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.since:
            if isinstance(change, Truncation):
                _resize(self.kept, change.size)
            else:
                _resize(self.kept, max(len(self.kept), change.at))
                self.kept[change.at : change.at + len(change.data)] = change.data
        self.since.clear()

    def left(
        self, survives: Callable[[int], bool], fate: Callable[[int], str], noise: Callable[[], bytes]
    ) -> bytearray:
        """Answer the content when of the operations since the last sync those survive of which it is said so.

        `fate` says of each sector of a surviving write what became of it: kept, lost, half or noise.
        """
        content = bytearray(self.kept)
        for number, change in enumerate(self.since):
            if not survives(number):
                continue
            if isinstance(change, Truncation):
                _resize(content, change.size)
                continue
            start = 0
            while start < len(change.data):
                at = change.at + start
                piece = change.data[start : start + SECTOR - at % SECTOR]
                start += len(piece)
                _resize(
                    content, max(len(content), at + len(piece))
                )  # a file that grew is zeros where it was not written
                match fate(number):
                    case "kept":
                        content[at : at + len(piece)] = piece
                    case "half":
                        content[at : at + len(piece) // 2] = piece[: len(piece) // 2]
                    case "noise":
                        content[at : at + len(piece)] = (noise() * 2)[: len(piece)]
        return content


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


class Disk(apsw.VFS):
    """The machine. One in a process: SQLite's default VFS from its making on."""

    def __init__(self) -> None:
        super().__init__(_NAME, "unix", makedefault=True)
        self.lies = False
        """Control: xSync says yes and does nothing, as disks did that were sold as fast."""
        self.cuts: Counter[str] = Counter()
        """What was being done when the power went."""
        self._rng = Random(0)
        self._salts = Random(0)
        self._folder = Path()
        self._names: dict[str, Node] = {}
        self._safe_names: dict[str, Node] = {}
        self._name_changes: list[tuple[str, Node | None]] = []
        self._cut_at: dict[str, int] = {}
        self.is_off = False

    # -- the hand at the switch

    def install(self, folder: Path, files: dict[str, bytes], rng: Random) -> None:
        """Take a folder with files that are safely on the disk. Chance comes from `rng`, SQLite's own too."""
        self._rng = rng
        self._salts = Random(rng.random())  # asked for in the writer's thread: not to be shared
        self._folder = folder
        self._begin({str(folder / name): Node(bytearray(content)) for name, content in files.items()})

    def cut_at(self, step: int, what: str, step_of_what: int) -> None:
        """Cut the power at the so many-th change from now, or the so many-th of one kind, whichever comes first."""
        self._cut_at = {"": step, what: step_of_what}

    def cut_no_more(self) -> None:
        """Forget the cut that has not come yet."""
        self._cut_at = {}

    def power_on(self) -> None:
        """Begin anew with what the disk has. Every connection must have been closed."""
        names = dict(self._safe_names)
        for name, node in self._name_changes:
            if self._rng.random() < 0.5:
                _set(names, name, node)
        self._begin({name: Node(self._survivors(node)) for name, node in names.items()})

    def _begin(self, names: dict[str, Node]) -> None:
        for path in self._folder.glob("*.db*"):
            # Nobody has promised that the index of the WAL is gone after a power cut: SQLite must not believe it.
            if not (path.name.endswith("-shm") and self._rng.random() < 0.5):
                path.unlink()
        for name, node in names.items():
            Path(name).write_bytes(node.kept)
        self._names, self._safe_names = names, dict(names)
        self._name_changes = []
        self._cut_at, self.is_off = {}, False
        apsw.randomness(0)  # SQLite asks xRandomness anew: the salts of its WAL are the seed's too

    def _survivors(self, node: Node) -> bytearray:
        rng = self._rng
        match rng.choice(("nothing", "all", "the first", "some", "some", "torn", "torn", "noise")):
            case "nothing":
                return node.kept
            case "all":
                return node.left(lambda _: True, lambda _: "kept", bytes)
            case "the first":
                last = rng.randint(0, len(node.since))
                return node.left(lambda number: number < last, lambda _: "kept", bytes)
            case "some":
                part = rng.random()
                return node.left(lambda _: rng.random() < part, lambda _: "kept", bytes)
            case mood:
                part = rng.random()
                fates = ("lost", "half", "noise") if mood == "noise" else ("lost", "half")
                return node.left(
                    lambda _: True,
                    lambda _: "kept" if rng.random() < part else rng.choice(fates),
                    lambda: rng.randbytes(SECTOR),
                )

    # -- what SQLite does

    def step(self, what: str, change: Callable[[], None]) -> None:
        """Do one change. The one at which the power goes is begun and never acknowledged."""
        self.demand_power()
        for kind in self._cut_at:
            self._cut_at[kind] -= what.startswith(kind)
        if 0 in self._cut_at.values():
            self.cuts[what] += 1
            if not what.startswith("sync"):  # it may have got as far as a write does that waits for its sync
                change()
            self.is_off = True
            self.demand_power()
        change()

    def demand_power(self) -> None:
        if self.is_off:
            raise apsw.exception_for(apsw.SQLITE_IOERR)

    def sync_names(self) -> None:
        for name, node in self._name_changes:
            _set(self._safe_names, name, node)
        self._name_changes.clear()

    def xRandomness(self, numbytes: int) -> bytes:  # noqa: N802 -- SQLite's word
        return self._salts.randbytes(numbytes)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        self.demand_power()
        if name is None:
            return apsw.VFSFile("unix", name, flags)  # a temporary file, gone with the power anyway
        path = name if isinstance(name, str) else name.filename()
        node = self._names.get(path)
        if node is None and flags[0] & apsw.SQLITE_OPEN_CREATE:
            node = Node()
            made = node

            def create() -> None:
                self._names[path] = made
                self._name_changes.append((path, made))

            self.step("create " + _kind(path), create)
        opened = Handle(self, name, path, flags)
        assert node is not None, path  # the real open has failed otherwise
        opened.node = node
        return opened

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 -- SQLite's
        def delete() -> None:
            self._names.pop(filename, None)
            self._name_changes.append((filename, None))
            with suppress(FileNotFoundError):
                os.unlink(filename)  # noqa: PTH108 -- a name as SQLite gives it
            if syncdir and not self.lies:
                self.sync_names()

        if filename not in self._names:
            self.demand_power()
            raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT)
        self.step("delete " + _kind(filename), delete)


class Handle(apsw.VFSFile):
    """An open file."""

    node: Node

    def __init__(self, disk: Disk, name: str | apsw.URIFilename, path: str, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._kind = _kind(path)
        self._syncs_its_folder = bool(flags[0] & _SYNCS_ITS_FOLDER)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.demand_power()
        return super().xRead(amount, offset)

    def xFileSize(self) -> int:  # noqa: N802
        self._disk.demand_power()
        return super().xFileSize()

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        def write() -> None:
            super(Handle, self).xWrite(data, offset)
            self.node.since.append(Write(bytes(data), offset))

        self._disk.step("write " + self._kind, write)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        def truncate() -> None:
            super(Handle, self).xTruncate(newsize)
            self.node.since.append(Truncation(newsize))

        self._disk.step("truncate " + self._kind, truncate)

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002 -- the disk needs no real sync
        def sync() -> None:
            if self._disk.lies:
                return
            self.node.sync()
            if self._syncs_its_folder:
                self._disk.sync_names()

        self._disk.step("sync " + self._kind, sync)


def _kind(path: str) -> str:
    for kind in ("wal", "journal"):
        if path.endswith(f"-{kind}"):
            return kind
    return "database"


def _set(names: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node
