"""Into one file and back. What may have gone out since comes back held."""

import stat
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from tests.cli.running import LATER, Guvercin, Server

from guvercin.cli import sample


@pytest.fixture
def full(guvercin: Guvercin, tmp_path: Path) -> Guvercin:
    """A folder with a sent file, a planned message and one that waits."""
    invoice = tmp_path / "fatura.pdf"
    invoice.write_bytes(sample.pdf())
    guvercin("dosya", "+905000000001", str(invoice))
    guvercin("gonder", "+905000000001", "Yarın", "--zaman", LATER)
    guvercin("hesap", "duraklat", "1")
    guvercin("gonder", "+905000000001", "Bekleyen", "--bekle", "0")
    (guvercin.data_dir / "guvercin.toml").write_text("port = 8090\n")
    return guvercin


def test_a_backup_is_one_private_file(full: Guvercin, tmp_path: Path) -> None:
    target = tmp_path / "yedek.tar"
    done = full("yedek", str(target))

    assert done.out.splitlines()[0].startswith(f"Written: {target} (")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with tarfile.open(target) as archive:
        names = archive.getnames()
    assert names[:2] == ["guvercin.db", "guvercin.toml"]
    assert [name.split("/")[0] for name in names[2:]] == ["spool"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fatura.pdf", "veri", "yedek.tar"]


def test_a_backup_overwrites_nothing(full: Guvercin, tmp_path: Path) -> None:
    target = tmp_path / "yedek.tar"
    target.write_text("precious")
    full.lang = "tr"

    assert full("yedek", str(target), code=1).err == (
        f"Hata: {target} zaten var; yedek hiçbir şeyin üstüne yazmaz.\nÇözüm: Başka bir ad seçin.\n"
    )
    assert target.read_text() == "precious"


def test_a_backup_into_a_folder_gets_a_name(full: Guvercin, tmp_path: Path) -> None:
    assert full("yedek", str(tmp_path), "--json").json["dosya"] == str(tmp_path / "guvercin-yedek.tar")


def test_nothing_to_back_up(guvercin: Guvercin, tmp_path: Path) -> None:
    assert guvercin("yedek", str(tmp_path / "y.tar"), code=1).err.startswith("Error: There is nothing to back up: ")
    assert not guvercin.data_dir.exists()


def test_a_backup_where_nothing_can_be_written(full: Guvercin, tmp_path: Path) -> None:
    assert full("yedek", str(tmp_path / "yok" / "y.tar"), code=1).err.startswith("Error: ")


def test_everything_unfinished_comes_back_held(full: Guvercin, tmp_path: Path) -> None:
    target = tmp_path / "yedek.tar"
    full("yedek", str(target))
    full("hesap", "devam", "1")
    full("gonder", "+905000000001", "Sonradan")  # sends what waited too
    assert full("durum", "3", "--json").json["data"]["durum"] in {"sent", "delivered", "read"}

    done = full("geri-yukle", str(target))
    lines = done.out.splitlines()
    assert lines[0] == f"Put back from {target}."
    assert lines[2:] == [
        "Held records: 2. They were unfinished then and may have gone out since.",
        "Let them go out: guvercin kayit birak --hepsi",
        "Or withdraw them: guvercin kayit iptal --hepsi",
        "Start again: guvercin baslat",
    ]
    kept = Path(lines[1].removeprefix("What was here before stands in ").removesuffix("."))
    assert kept.parent == full.data_dir
    assert kept.exists()
    rows = full("kayit", "--json").json["data"]
    assert [(row["id"], row["durum"], row["neden"]) for row in rows[:2]] == [
        (3, "queued", "geri_yuklendi"),
        (2, "queued", "geri_yuklendi"),
    ]

    # A new message takes no number that was given out after the backup.
    assert full("gonder", "+905000000001", "Yeni", "--bekle", "0", "--json").json["log_id"] > 4
    # Held rows don't move by themselves; released ones go back to where they waited.
    assert full("kayit", "birak", "--hepsi").out == (
        "Back in line: 2\nThey go out when the server runs: guvercin baslat\n"
    )
    standing = {row["id"]: row["durum"] for row in full("kayit", "--json").json["data"]}
    assert (standing[2], standing[3]) == ("scheduled", "queued")


def test_held_records_can_be_withdrawn(full: Guvercin, tmp_path: Path) -> None:
    full("yedek", str(tmp_path / "y.tar"))
    full("geri-yukle", str(tmp_path / "y.tar"))

    assert full("kayit", "iptal", "--hepsi").out == "Cancelled: 2\n"


def test_onto_another_machine(full: Guvercin, tmp_path: Path) -> None:
    full("yedek", str(tmp_path / "y.tar"))
    other = Guvercin(tmp_path / "other" / "veri")

    assert other("geri-yukle", str(tmp_path / "y.tar"), "--json").json == {
        "ok": True,
        "bekletilen": 2,
        "onceki": None,
    }
    assert (other.data_dir / "guvercin.toml").read_text() == "port = 8090\n"
    assert stat.S_IMODE(other.data_dir.stat().st_mode) == 0o700
    assert len(list((other.data_dir / "spool").glob("*/*"))) == 1
    assert sorted(path.name for path in other.data_dir.iterdir() if path.name.startswith(".")) == []
    assert len(other("kayit", "--json").json["data"]) == 3


def test_settings_that_are_there_stay(full: Guvercin, tmp_path: Path) -> None:
    full("yedek", str(tmp_path / "y.tar"))
    (full.data_dir / "guvercin.toml").write_text("port = 9999\n")
    full("geri-yukle", str(tmp_path / "y.tar"))
    assert (full.data_dir / "guvercin.toml").read_text() == "port = 9999\n"


def archive(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w") as written:
        for name, content in members.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_dot_", "."))
            member.size = len(content)
            written.addfile(member, BytesIO(content))
    return path


def test_what_is_no_backup_changes_nothing(full: Guvercin, tmp_path: Path) -> None:
    before = full("kayit", "--json").json
    junk = tmp_path / "junk"
    junk.write_bytes(b"not a tar at all" * 100)
    sources = [
        junk,
        archive(tmp_path / "empty.tar"),
        archive(tmp_path / "text.tar", guvercin_dot_db=b"not a database"),
        archive(tmp_path / "escape.tar", ___dot__dot___evil=b"x", etc__passwd=b"x"),
    ]
    whole = tmp_path / "whole.tar"
    full("yedek", str(whole))
    torn = tmp_path / "torn.tar"
    torn.write_bytes(whole.read_bytes()[:50_000])
    for source in (*sources, torn):
        done = full("geri-yukle", str(source), code=1)
        assert done.err == (
            f"Error: {source} is no whole backup of Güvercin.\n"
            "Remedy: Choose a file that guvercin yedek has written. Nothing was changed.\n"
        )
    assert full("geri-yukle", str(tmp_path / "gone"), code=1).err.startswith("Error: There is no file ")
    assert full("kayit", "--json").json == before
    assert not list(full.data_dir.glob("guvercin-onceki-*"))


def test_names_in_an_archive_are_only_names(full: Guvercin, tmp_path: Path) -> None:
    whole = tmp_path / "y.tar"
    full("yedek", str(whole))
    with tarfile.open(whole, "a") as written:
        for name in ("../escaped", "/escaped", "spool/../../escaped", "guvercin.lock", "spool/aa/short"):
            member = tarfile.TarInfo(name)
            member.size = 1
            written.addfile(member, BytesIO(b"x"))
        link = tarfile.TarInfo("spool/bb/" + "b" * 64)
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc/passwd"
        written.addfile(link)

    other = Guvercin(tmp_path / "other" / "veri")
    other("geri-yukle", str(whole))
    assert not list(tmp_path.rglob("escaped"))
    assert not [path for path in other.data_dir.rglob("*") if path.is_symlink()]


@pytest.mark.e2e
def test_beside_a_live_server(full: Guvercin, tmp_path: Path, start_server: Callable[..., Server]) -> None:
    server = start_server()
    target = tmp_path / "yedek.tar"
    full("yedek", str(target))

    done = full("geri-yukle", str(target), code=1)
    assert done.err == (
        f"Error: The server runs on this data folder: http://127.0.0.1:{server.port}\n"
        f"Remedy: Stop it first (process {server.process.pid}), then put the backup back.\n"
    )
