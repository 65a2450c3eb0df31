"""A PostgreSQL of the tests' own: its files in a temporary folder, its door a socket there, nothing kept.

`GUVERCIN_TEST_POSTGRES` names the folder of its programs, if it isn't where Debian or the PATH has them.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

OLDEST = 15

_FAST = ("fsync=off", "synchronous_commit=on", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60")
"""A power cut is not among what is tested here: the files end with the tests."""


def programs() -> Path | None:
    """Answer the folder of initdb and postgres, of the newest that is good enough; null: there is none."""
    named = os.environ.get("GUVERCIN_TEST_POSTGRES")
    if named:
        return Path(named)
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    debian = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if int(path.parent.name) >= OLDEST]
    return max(debian, key=lambda path: int(path.parent.name), default=None)


class Server:
    """A server that can be stopped, killed and started again."""

    def __init__(self, bin_: Path, folder: Path, settings: Sequence[str] = _FAST) -> None:
        """Make an empty cluster. Without `settings` a commit is on the disk, as with the server's own."""
        self._bin = bin_
        self.folder = folder
        self._settings = settings
        self._user: str | None = None
        if os.geteuid() == 0:  # PostgreSQL refuses to be root
            self._user = next(name for name in ("postgres", "nobody") if _exists(name))
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = str(folder / "data")
        words = ("-D", data, "-U", "guvercin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._run("initdb", *words)

    def url(self, database: str) -> str:
        """Answer the address of a database."""
        return f"postgresql://guvercin@/{database}?host={self.folder}"

    def create(self, database: str) -> None:
        """Create an empty database."""
        self._run("createdb", "-h", str(self.folder), "-U", "guvercin", database)

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = " ".join(
            f"-c {each}" for each in (*self._settings, "listen_addresses=", f"unix_socket_directories={self.folder}")
        )
        self._control("start", "-l", str(self.folder / "log"), "-o", settings)

    def stop(self, how: str = "fast") -> None:
        """Stop: «fast» closes every session, «immediate» is a crash."""
        self._control("stop", "-m", how)

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "30", *words)

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._bin / program, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            user=self._user,
            group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
            extra_groups=None if self._user is None else [],
        )


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@contextmanager
def running(settings: Sequence[str] = _FAST) -> Iterator[Server]:
    """Run a server with an empty cluster; `settings` as the server has them."""
    bin_ = programs()
    if bin_ is None:
        raise LookupError("no PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="guvercin-pg-"))
    try:
        server = Server(bin_, folder, settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
