"""`hesap bagla` as it is drawn: a code is good, counted down, and wiped away; and nothing begins without a server."""

import re
from datetime import datetime, timedelta

import pytest
from tests.cli.running import Guvercin

from guvercin.cli import link
from guvercin.cli.link import Board
from guvercin.cli.terminal import Terminal
from guvercin.locale import Language, translator

NOW = datetime.fromisoformat("2026-02-23T11:30:00+00:00")
SHOWING = {
    "durum": "gosteriliyor",
    "qr": "https://wa.me/settings/linked_devices#2@abc,def,ghi,jkl,1",
    "kod": None,
    "gecerlilik_iso": (NOW + timedelta(seconds=42)).isoformat(),
}


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(say=translator(Language.EN))


def test_a_code_is_drawn_in_place_with_its_seconds_and_wiped_at_the_end(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "is_watched", lambda: True)
    board = Board(terminal)
    board.show(SHOWING, NOW)
    first = capsys.readouterr().err
    assert "Good for 42 more seconds." in first
    height = first.count("\n")
    board.show(SHOWING, NOW + timedelta(seconds=1))
    second = capsys.readouterr().err
    assert second.startswith(f"\x1b[{height}A\x1b[J")
    assert "Good for 41 more seconds." in second
    board.wipe()
    assert capsys.readouterr().err == f"\x1b[{height}A\x1b[J"
    board.wipe()
    assert capsys.readouterr().err == ""


def test_where_nobody_watches_each_code_is_written_once(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "is_watched", lambda: False)
    board = Board(terminal)
    typed = SHOWING | {"qr": None, "kod": "ABCD-EFGH"}
    for later in range(3):
        board.show(typed, NOW + timedelta(seconds=later))
    board.show({"durum": "hazirlaniyor", "qr": None, "kod": None, "gecerlilik_iso": None}, NOW)
    written = capsys.readouterr().err
    assert written.count("ABCD-EFGH") == 1
    assert "\x1b" not in written


def test_nothing_is_linked_without_a_server(guvercin: Guvercin) -> None:
    guvercin.lang = "tr"
    for line in (["hesap", "bagla", "1"], ["saha-testi", "1", "+905321234567", "--evet"]):
        done = guvercin(*line, code=1)
        assert "Sunucu çalışmıyor" in done.err
        assert re.search(r"guvercin baslat", done.err)


def test_the_drawing_fits_an_ordinary_screen() -> None:
    drawn = link._drawn(SHOWING["qr"] or "")
    assert len(drawn) <= 40
