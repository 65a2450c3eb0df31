"""`ret …` and `onay …`: what people want, at a terminal."""

from pathlib import Path

from tests.cli.running import Guvercin


def test_a_refusal_by_hand_from_its_beginning_to_its_end(guvercin: Guvercin) -> None:
    assert guvercin("ret", "ekle", "0532 123 45 67", "--not", "Telefonda söyledi").out == (
        "Kept: +905321234567 (Everything). What waited for them has failed.\n"
    )
    row = guvercin("optout", "list").out.splitlines()[1]
    assert row.split("  ")[0] == "1"
    assert "Entered by hand" in row
    assert "Telefonda söyledi" in row
    refused = guvercin("gonder", "0532 123 45 67", "Merhaba", code=1)
    assert refused.err.splitlines()[0] == "Error: This person has refused messages."
    assert guvercin("ret", "kaldir", "05321234567").out == "Refusals ended: 1\n"
    assert guvercin("ret", "liste", "--json").json["data"] == []
    assert guvercin("ret", "liste", "--hangisi", "bitti", "--json").json["data"][0]["bitiren"] == "panel"


def test_what_has_to_be_looked_at_when_there_is_nothing(guvercin: Guvercin) -> None:
    assert guvercin("ret", "bakilacak").out.splitlines() == ["No  Number  Covers  How it came  Account  Since  Said"]
    assert guvercin("ret", "karar", "9", "devam", "--json", code=1).json["kod"] == "bulunamadi"
    assert guvercin("ret", "karar", "9", "belki", code=2).err.startswith("Error: KARAR can't be «belki».")
    assert guvercin("ret", "ekle", "0532 123 45 67", "--kapsam", "biraz", code=2).err.startswith(
        "Error: --kapsam can't"
    )


def test_a_consent_opens_the_way_for_advertising(guvercin: Guvercin, tmp_path: Path) -> None:
    phone, campaign = "0532 123 45 67", ("Yeni ürünler", "--tur", "kampanya")
    assert "has no title" in guvercin("gonder", phone, *campaign, code=1).err
    guvercin("hesap", "degistir", "1", "--unvan", "Yıldız Kırtasiye")
    assert "has not agreed" in guvercin("gonder", phone, *campaign, code=1).err
    proof = tmp_path / "onay.pdf"
    proof.write_bytes(b"%PDF-1.4 onay")
    kept = guvercin("onay", "ekle", phone, "--kaynak", "HS_WEB", "--zaman", "2026-02-20 10:15", "--kanit", str(proof))
    assert kept.out == "Kept: +905321234567 has agreed to commercial messages.\n"
    guvercin("gonder", phone, *campaign)
    assert "HS_WEB" in guvercin("consent", "list").out
    written = tmp_path / "onaylar.csv"
    assert guvercin("onay", "disa-aktar", str(written)).out == f"Written: {written}\n"
    assert written.read_text().splitlines()[1].startswith("+905321234567,MESAJ,HS_WEB,ONAY,BIREYSEL,2026-02-20")
    assert "nothing is overwritten" in guvercin("onay", "disa-aktar", str(written), code=1).err
    assert guvercin("onay", "ekle", phone, "--kaynak", "X", "--zaman", "x", code=2).err.startswith("Error: --kaynak")


def test_a_bulk_that_sounds_like_advertising_wants_a_word(guvercin: Guvercin, tmp_path: Path) -> None:
    people = tmp_path / "liste.csv"
    people.write_text("telefon;isim\n+905000000001;Ali\n")
    line = ("toplu", str(people), "--mesaj", "Bu hafta %20 indirim", "--evet")
    refused = guvercin(*line, code=1)
    assert "sounds like advertising" in refused.err
    assert guvercin("kayit", "--json").json["data"] == []
    guvercin(*line, "--tanitim-degil")
    assert len(guvercin("kayit", "--json").json["data"]) == 1
