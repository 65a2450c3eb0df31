"""What an owner gives us of a Cloud account: ids, secrets, and which template stands for which category.

Law: the secrets are sealed (guvercin.sealing) in a file of their own, for its owner alone, beside the database and
never inside it: a backup holds none of them, and a copy of the file opens nothing without the key. They can be
replaced, never read back.
"""

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import orjson

from guvercin.core.folding import fold
from guvercin.sealing import Seal, Unreadable
from guvercin.transports.cloud.payloads import Form

_log = logging.getLogger(__name__)

MESSAGE, NAME = "mesaj", "isim"
"""What may fill a place of a template: the message's text, the recipient's name, or a variable of a list's line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """An approved template: `places` names what fills each place of its body, in order."""

    name: str
    language: str
    places: tuple[str, ...] = ()

    def filled(self, *, text: str | None, name: str | None, variables: Mapping[str, str] | None = None) -> Form | None:
        """Answer the form of one message. Meta takes no line breaks, tabs or empty values in a place.

        Null if a variable is not known: an amount that is missing must not be read as a dash.
        """
        values = {fold(place): value or "-" for place, value in ((MESSAGE, text), (NAME, name))}
        found = [(variables or {}).get(key) or values.get(key) for key in map(fold, self.places)]
        if None in found:
            return None
        parameters = tuple(" ".join((value or "").split()) or "-" for value in found)
        return Form(name=self.name, language=self.language, parameters=parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One Cloud account's set-up. What is secret doesn't show when it is printed."""

    number_id: str
    business_id: str
    token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    templates: Mapping[int, Template] = field(default_factory=lambda: MappingProxyType({}))


_Stamp: TypeAlias = tuple[int, int, int]


def _stamp(path: Path) -> _Stamp | None:
    """Answer by what it is seen that a file is another one than before; null: there is none, or nobody can say."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class Setups:
    """The set-ups of every Cloud account, one sealed file each in a folder for its owner alone."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self._folder = folder
        self._seal = seal
        self._known: dict[int, tuple[_Stamp, Setup]] = {}

    def read(self, account_id: int) -> Setup | None:
        """Answer an account's set-up; null if there is none that can be read now.

        The file is read again when it has changed: another gateway may have written it.
        """
        stamp, known = _stamp(self._path(account_id)), self._known.get(account_id)
        if stamp is not None and known is not None and known[0] == stamp:
            return known[1]
        setup = self._load(account_id)
        if stamp is not None and setup is not None:
            self._known[account_id] = stamp, setup
        return setup

    def seal_plain(self) -> None:
        """Seal what an older version has left in plain words. What can't be sealed now stays, and is used as it is."""
        for path in sorted(self._folder.glob("*.json")):
            if not path.stem.isdigit():
                continue
            with suppress(OSError):
                setup = _read(path.read_bytes())
                if setup is None:
                    _log.warning("setup_unreadable", extra={"account_id": int(path.stem)})
                    continue
                if not self._path(int(path.stem)).exists():  # a crash may have come between the two files
                    self.write(int(path.stem), setup)
                _shred(path)

    def _load(self, account_id: int) -> Setup | None:
        try:
            return _read(self._seal.open(self._path(account_id).read_bytes(), _purpose(account_id)))
        except FileNotFoundError:
            with suppress(OSError):
                return _read(self._plain_path(account_id).read_bytes())
            return None
        except (OSError, Unreadable):
            _log.error("setup_unreadable", extra={"account_id": account_id})
            return None

    def write(self, account_id: int, setup: Setup) -> None:
        """Keep an account's set-up: all of it or nothing, on the disk before this returns. OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sealed = self._seal.close(orjson.dumps(_plain(setup)), _purpose(account_id))
        path = self._path(account_id)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self, account_id: int) -> None:
        """Forget an account's set-up."""
        self._path(account_id).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            _shred(self._plain_path(account_id))

    def _path(self, account_id: int) -> Path:
        return self._folder / f"{account_id}.sealed"

    def _plain_path(self, account_id: int) -> Path:
        return self._folder / f"{account_id}.json"


def _purpose(account_id: int) -> str:
    return f"cloud:{account_id}"


def _shred(path: Path) -> None:
    """Remove a file and, as far as the file system lets us, what it said. OSError."""
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _read(written: bytes) -> Setup | None:
    try:
        found: dict[str, Any] = orjson.loads(written)
        templates = {
            int(category): Template(name=each["name"], language=each["language"], places=tuple(each["places"]))
            for category, each in found.pop("templates").items()
        }
        return Setup(**found, templates=MappingProxyType(templates))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _plain(setup: Setup) -> dict[str, Any]:
    return {
        "number_id": setup.number_id,
        "business_id": setup.business_id,
        "token": setup.token,
        "app_secret": setup.app_secret,
        "verify_token": setup.verify_token,
        "templates": {
            str(category): {"name": each.name, "language": each.language, "places": list(each.places)}
            for category, each in setup.templates.items()
        },
    }
