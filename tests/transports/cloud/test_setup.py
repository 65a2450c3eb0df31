"""The set-ups of Cloud accounts: sealed on the disk, whole or not at all, and older ones taken over."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import orjson
import pytest

from guvercin.sealing import NAME, Seal
from guvercin.transports.cloud.setup import Setup, Setups, Template

SECRETS = {"token": "EAAG-very-secret", "app_secret": "app-very-secret", "verify_token": "word-very-secret"}
SETUP = Setup(
    number_id="1055",
    business_id="1022",
    templates=MappingProxyType({9: Template(name="kampanya", language="tr", places=("isim",))}),
    **SECRETS,
)
PLAIN = {
    "number_id": "1055",
    "business_id": "1022",
    "templates": {"9": {"name": "kampanya", "language": "tr", "places": ["isim"]}},
    **SECRETS,
}


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture
def setups(tmp_path: Path) -> Setups:
    return Setups(tmp_path / "cloud", Seal(tmp_path))


def again(tmp_path: Path) -> Setups:
    """What a new process has."""
    return Setups(tmp_path / "cloud", Seal(tmp_path))


def leave_plain(tmp_path: Path, account_id: int, written: bytes) -> Path:
    folder = tmp_path / "cloud"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{account_id}.json"
    path.write_bytes(written)
    return path


def test_a_set_up_comes_back_and_nothing_on_the_disk_tells_it(setups: Setups, tmp_path: Path) -> None:
    setups.write(3, SETUP)
    assert again(tmp_path).read(3) == SETUP
    assert not any(secret.encode() in everything_in(tmp_path) for secret in SECRETS.values())
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / NAME, tmp_path / "cloud" / "3.sealed")] == [0o600] * 2


def test_the_seal_of_one_account_opens_no_other(setups: Setups, tmp_path: Path) -> None:
    setups.write(3, SETUP)
    (tmp_path / "cloud" / "4.sealed").write_bytes((tmp_path / "cloud" / "3.sealed").read_bytes())
    assert again(tmp_path).read(4) is None


def test_without_the_key_there_is_no_set_up(setups: Setups, tmp_path: Path) -> None:
    setups.write(3, SETUP)
    (tmp_path / NAME).unlink()
    assert again(tmp_path).read(3) is None


def test_what_an_older_version_left_in_plain_words_is_sealed_at_the_start(tmp_path: Path) -> None:
    plain = leave_plain(tmp_path, 3, orjson.dumps(PLAIN))
    again(tmp_path).seal_plain()
    assert not plain.exists()
    assert again(tmp_path).read(3) == SETUP
    assert not any(secret.encode() in everything_in(tmp_path) for secret in SECRETS.values())


def test_a_crash_between_the_two_files_leaves_the_newer_one(setups: Setups, tmp_path: Path) -> None:
    plain = leave_plain(tmp_path, 3, orjson.dumps(PLAIN))
    newer = replace(SETUP, token="EAAG-newer")
    setups.write(3, newer)
    again(tmp_path).seal_plain()
    assert (plain.exists(), again(tmp_path).read(3)) == (False, newer)


def test_what_nobody_can_read_stays_for_its_owner(tmp_path: Path) -> None:
    broken = leave_plain(tmp_path, 3, b"{")
    foreign = leave_plain(tmp_path, 4, orjson.dumps(PLAIN)).rename(tmp_path / "cloud" / "notes.json")
    again(tmp_path).seal_plain()
    assert (broken.read_bytes(), foreign.exists(), again(tmp_path).read(3)) == (b"{", True, None)


def test_a_removed_account_leaves_nothing(setups: Setups, tmp_path: Path) -> None:
    setups.write(3, SETUP)
    leave_plain(tmp_path, 3, orjson.dumps(PLAIN))
    setups.remove(3)
    assert list((tmp_path / "cloud").iterdir()) == []
    assert again(tmp_path).read(3) is None


def test_what_another_gateway_has_written_is_read(setups: Setups, tmp_path: Path) -> None:
    other = again(tmp_path)
    assert other.read(3) is None
    setups.write(3, SETUP)
    assert other.read(3) == SETUP
    changed = replace(SETUP, token="EAAG-another-secret")
    setups.write(3, changed)
    assert other.read(3) == changed
    setups.remove(3)
    assert other.read(3) is None


def test_an_unchanged_set_up_is_unsealed_once(setups: Setups) -> None:
    setups.write(3, SETUP)
    assert setups.read(3) is setups.read(3)
