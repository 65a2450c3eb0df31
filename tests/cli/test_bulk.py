import re
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from tests.cli.running import LATER, Guvercin

from guvercin.cli.preview import duration
from guvercin.locale import Language, translator

LIST = "telefon;isim\n0532 123 45 67;Ayşe\n0532 123 45 68;Işık\nabc;Kötü\n+905321234567;Tekrar\n+905000000002;Yok\n"


@pytest.fixture
def people(tmp_path: Path) -> str:
    path = tmp_path / "musteriler.csv"
    path.write_bytes(LIST.encode("cp1254"))
    return str(path)


def test_nothing_is_sent_before_a_yes(guvercin: Guvercin, people: str) -> None:
    done = guvercin("toplu", people, "--mesaj", "Merhaba", code=1)
    assert done.err == (
        "Rows: 5. To send: 3, wrong numbers: 1, repeated: 1\n"
        "  line 4: abc  There are letters in the number.\n"
        "It takes about 1 s.\n"
        "The first one reads: «Merhaba»\n"
        "Error: There is nobody to ask here: Send to 3 people?\n"
        "Remedy: Say --evet if it is meant.\n"
    )
    assert guvercin("kayit").out == "No message yet.\n"


def test_a_bulk_to_its_end_in_turkish(guvercin: Guvercin, people: str) -> None:
    guvercin.lang = "tr"
    done = guvercin("toplu", people, "--mesaj", "Merhaba", "--evet", code=4)
    assert done.out == "Bitti: 5 mesajdan 2 gönderildi, 3 başarısız.\n"
    lines = done.err.splitlines()
    assert lines[0] == "Satır: 5. Gönderilecek: 3, hatalı numara: 1, tekrar: 1"
    assert lines[-1].startswith("5/5  ✓2 ✗3")


def test_from_stdin_with_json(guvercin: Guvercin) -> None:
    done = guvercin("bulk", "-", "--mesaj", "Merhaba", "--evet", "--json", stdin="05321234567\n05321234568\n")
    assert {name: done.json["data"][name] for name in ("total", "sent", "failed", "durum")} == {
        "total": 2,
        "sent": 2,
        "failed": 0,
        "durum": "finished",
    }


def test_all_failed_is_failed(guvercin: Guvercin) -> None:
    done = guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin="+905000000002\n", code=1)
    assert done.out == "Done: 0 of 1 sent, 1 failed.\n"


def test_an_excel_file_fills_the_text_of_everybody(guvercin: Guvercin, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["Cari Adı", "Cep Tel", "Borç (TL)"],
        ["Ayşe", 5321234567, 1250.5],
        ["Işık", "0532 123 45 68 / 0212 123 45 67", 900],
    ):
        book.active.append(row)
    book.save(tmp_path / "müşteriler.xlsx")
    text = "Sayın {cari adı}, {borç tl} TL {vade|bugün}."
    done = guvercin("toplu", str(tmp_path / "müşteriler.xlsx"), "--mesaj", text, "--evet")
    assert "In 1 rows there are several numbers: the first mobile one is taken.\n" in done.err
    assert "The first one reads: «Sayın Ayşe, 1250,5 TL bugün.»\n" in done.err
    assert done.out == "Done: 2 of 2 sent, 0 failed.\n"
    sent = [guvercin("durum", str(each), "--json").json["data"]["isim"] for each in (1, 2)]
    assert sent == ["Ayşe", "Işık"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{isim}, borcunuz {borç}", "Line 2 has nothing for «borç».\nRemedy: Columns: isim, telefon. Fill the cell,"),
        ("Merhaba {isim", "A brace stands alone at letter 9 of the text."),
    ],
)
def test_a_place_that_nothing_fills_is_named_before_anything_leaves(
    guvercin: Guvercin, people: str, text: str, what: str
) -> None:
    assert what in guvercin("toplu", people, "--mesaj", text, "--evet", code=2).err
    assert guvercin("kayit").out == "No message yet.\n"


def test_everybody_s_own_file_needs_a_file_root(guvercin: Guvercin) -> None:
    line = ("toplu", "-", "--mesaj", "Faturanız", "--dosya", "/{fatura no}.pdf", "--evet")
    done = guvercin(*line, stdin="telefon;fatura no\n05321234567;FTR-1\n", code=1)
    assert done.err.splitlines()[-2].startswith("Error: ")


def test_a_bulk_is_paused_resumed_and_withdrawn(guvercin: Guvercin) -> None:
    guvercin("hesap", "duraklat", "1")
    guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin="05321234567\n05321234568\n", code=3)
    assert guvercin("toplu-duraklat", "1").out == "0/2  ✓0 ✗0  Its bulk is paused until you resume it\n"
    assert guvercin("toplu-devam", "1", "--json").json["data"]["durum"] == "running"
    assert guvercin("bulk-cancel", "1").out == "2/2  ✓0 ✗2\n"
    assert guvercin("toplu-iptal", "9", code=1).err.startswith("Error: ")


def test_an_old_excel_file_says_what_to_do(guvercin: Guvercin, tmp_path: Path) -> None:
    path = tmp_path / "liste.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    done = guvercin("toplu", str(path), "--mesaj", "x", "--evet", code=1)
    assert done.err == (
        "Error: This is a file of an old Excel (.xls).\n"
        "Remedy: Open it and save it as an Excel workbook (.xlsx), then give that file.\n"
    )


def test_a_planned_bulk_is_not_watched(guvercin: Guvercin) -> None:
    line = ("toplu", "-", "--mesaj", "Merhaba", "--zaman", LATER, "--evet")
    assert guvercin(*line, stdin="05321234567\n").out == (
        "Bulk 1 is kept: Waits for its time\nThey go out when the server runs: guvercin baslat\n"
    )


def test_without_a_server_a_line_that_is_down_is_not_waited_for(guvercin: Guvercin) -> None:
    guvercin("hesap", "duraklat", "1")
    done = guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin="05321234567\n", code=3)
    assert done.out.startswith("Bulk 1 is kept: ")
    assert guvercin("durum", "1", "--json").json["data"]["durum"] == "queued"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "The list is empty."),
        ("ad;soyad\nAyşe;Yılmaz", "No column of the list looks like phone numbers."),
        ("telefon\nabc1\n", "No number of the list can be read."),
    ],
)
def test_a_list_of_nobody(guvercin: Guvercin, text: str, what: str) -> None:
    done = guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin=text, code=1)
    assert f"Error: {what}\nRemedy: " in done.err


def test_a_list_that_is_not_there(guvercin: Guvercin) -> None:
    assert guvercin("toplu", "yok.csv", "--mesaj", "x", code=1).err == (
        "Error: The file yok.csv can't be read: No such file or directory\nRemedy: Check the path.\n"
    )


@pytest.mark.parametrize(
    ("seconds", "turkish", "english"),
    [
        (0, "1 sn", "1 s"),
        (89, "89 sn", "89 s"),
        (90, "2 dk", "2 min"),
        (3599, "1 saat 0 dk", "1 h 0 min"),
        (5760, "1 saat 36 dk", "1 h 36 min"),
    ],
)
def test_durations(seconds: int, turkish: str, english: str) -> None:
    length = timedelta(seconds=seconds)
    assert duration(translator(Language.TR), length) == turkish
    assert duration(translator(Language.EN), length) == english


def test_a_report_is_written_once(guvercin: Guvercin, tmp_path: Path) -> None:
    guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin="telefon;isim\n05321234567;Ayşe\n", code=0)
    target = tmp_path / "rapor.csv"
    assert guvercin("toplu-rapor", "1", str(target)).out == f"Written: {target}\n"
    written = target.read_bytes().decode("utf-8-sig").split("\r\n")
    assert written[0].startswith("Phone;Name;Status;")
    assert written[1].startswith("905321234567;Ayşe;")
    assert guvercin("toplu-rapor", "1", str(target), code=1).err == (
        f"Error: {target} is there already, and nothing is overwritten.\nRemedy: Choose another name.\n"
    )
    guvercin("bulk-report", "1", str(tmp_path / "rapor.xlsx"), "--json")
    assert openpyxl.load_workbook(tmp_path / "rapor.xlsx").active["A2"].value == "905321234567"
    assert "not as rapor.pdf" in guvercin("toplu-rapor", "1", str(tmp_path / "rapor.pdf"), code=2).err
    assert guvercin("toplu-rapor", "9", str(tmp_path / "9.csv"), code=1).err.startswith("Error: ")
    assert not (tmp_path / "9.csv").exists()


def numbered(how_many: int) -> str:
    return "telefon\n" + "".join(f"+90532{number:07d}\n" for number in range(how_many))


def test_the_preview_tells_what_the_rules_make_of_a_list(guvercin: Guvercin) -> None:
    guvercin("hesap", "hiz", "1", "normal")
    asked = ("toplu", "-", "--mesaj", "Merhaba")
    done = guvercin(*asked, stdin=numbered(60), code=1)
    lines = done.err.splitlines()
    assert lines[0] == "Rows: 60. To send: 60, wrong numbers: 0, repeated: 0"
    assert re.fullmatch(r"It takes about \d+ days \d+ h and ends about \d\d\.\d\d\.\d{4} \d\d:\d\d\.", lines[1])
    assert any("The line is still warming up: today's share is used up" in line for line in lines[2:5])
    assert "If all of them are customers of yours, say so with --mevcut: then it goes faster." in lines
    declared = guvercin(*asked, "--mevcut", "--gecerlilik", "60", stdin=numbered(60), code=1).err.splitlines()
    assert not any("--mevcut" in line for line in declared)
    assert "45 of them would not leave before their time is over (--gecerlilik)." in declared


def test_who_has_refused_is_left_out_and_the_preview_says_so(guvercin: Guvercin) -> None:
    guvercin("ret", "ekle", "05321234567")
    done = guvercin("toplu", "-", "--mesaj", "Merhaba", stdin="05321234567\n05321234568\n", code=1)
    assert done.err.splitlines()[:4] == [
        "Rows: 2. To send: 1, wrong numbers: 0, repeated: 0",
        "Left out for another reason: 1",
        "  line 1: +905321234567  This person has refused messages.",
        "It takes about 1 s.",
    ]
    nobody = guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin="05321234567\n", code=1)
    assert "Error: Nobody of the list may be written to.\nRemedy: The lines above say why.\n" in nobody.err


def test_a_list_longer_than_one_request_goes_from_the_terminal(guvercin: Guvercin) -> None:
    line = ("toplu", "-", "--mesaj", "Merhaba", "--zaman", LATER, "--evet", "--json")
    done = guvercin(*line, stdin=numbered(10_500))
    assert (done.json["data"]["total"], done.json["data"]["dagilim"]["scheduled"]) == (10_500, 10_500)
    over = guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin=numbered(20_001), code=1)
    assert over.err.startswith("Error: ")
    assert "20" in over.err


def test_a_name_that_is_too_long_names_its_line(guvercin: Guvercin) -> None:
    text = f"telefon;isim\n05321234567;Ayşe\n05321234568;{'A' * 250}\n"
    done = guvercin("toplu", "-", "--mesaj", "Merhaba", "--evet", stdin=text, code=2)
    assert done.err.startswith("Error: Line 3: ")


@pytest.mark.parametrize(("hours", "told"), [(47.9, "47 h 54 min"), (50, "2 days 2 h"), (24 * 9, "9 days 0 h")])
def test_long_times_are_told_in_days(hours: float, told: str) -> None:
    assert duration(translator(Language.EN), timedelta(hours=hours)) == told
