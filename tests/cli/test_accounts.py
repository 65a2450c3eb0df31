from tests.cli.running import Guvercin


def test_an_account_from_its_birth_to_its_end(guvercin: Guvercin) -> None:
    assert guvercin("hesap", "ekle", "Muhasebe").out == "Added: account 2, «Muhasebe».\n"
    assert guvercin("hesap", "degistir", "2", "--isim", "Dükkân", "--toplu-aralik", "8-16").out == (
        "Changed: «Dükkân».\n"
    )
    assert guvercin("hesap", "varsayilan", "2").out == "The default account is now «Dükkân».\n"
    assert guvercin("hesap", "duraklat", "2").out == (
        "Paused: «Dükkân». Its messages wait. Go on with: guvercin hesap devam 2\n"
    )
    listed = guvercin("hesap", "liste", "--json").json["data"]
    assert [(it["id"], it["isim"], it["varsayilan"], it["durum"]) for it in listed][1] == (
        2,
        "Dükkân",
        True,
        "disconnected",
    )
    assert guvercin("hesap", "devam", "2").out == "«Dükkân» goes on.\n"
    assert guvercin("hesap", "varsayilan", "1").out
    assert guvercin("hesap", "sil", "2", "--evet").out == "Removed: account 2.\n"
    assert [it["id"] for it in guvercin("hesap", "liste", "--json").json["data"]] == [1]


def test_a_pause_without_a_server_holds_the_queue(guvercin: Guvercin) -> None:
    guvercin("hesap", "duraklat", "1")
    guvercin("gonder", "+905000000001", "Merhaba", "--bekle", "1")

    assert guvercin("durum", "1", "--json").json["data"]["durum"] == "queued"


def test_the_list_in_turkish(guvercin: Guvercin) -> None:
    guvercin("hesap", "duraklat", "1")
    guvercin.lang = "tr"
    assert guvercin("hesap", "liste").out == (
        "No  Ad      Numara         Tür      Durum                                Varsayılan  Son bağlantı\n"
        "1   Deneme  +905000000000  sandbox  Bağlı değil: guvercin hesap devam 1  evet        –\n"
    )


def test_removing_asks_first(guvercin: Guvercin) -> None:
    guvercin("hesap", "ekle", "Muhasebe")
    done = guvercin("hesap", "sil", "2", code=1)
    assert done.err == (
        "Error: There is nobody to ask here: Remove account 2? Its log stays.\nRemedy: Say --evet if it is meant.\n"
    )
    assert len(guvercin("hesap", "liste", "--json").json["data"]) == 2


def test_changing_nothing_is_a_misuse(guvercin: Guvercin) -> None:
    assert guvercin("hesap", "degistir", "1", code=2).err.startswith("Error: Nothing to change was named.")
    assert guvercin("hesap", "degistir", "1", "--aralik", "hızlı", code=2).err.startswith("Error: --aralik can't be")
    assert guvercin("hesap", "degistir", "1", "--belirsiz", "unut", code=2).err.startswith("Error: --belirsiz can't be")


def test_an_account_that_is_not_there(guvercin: Guvercin) -> None:
    for verb in ("duraklat", "devam", "varsayilan"):
        assert guvercin("hesap", verb, "9", "--json", code=1).json["kod"] == "bulunamadi"


def test_nobody_to_send_with_is_an_exit_code_of_its_own(guvercin: Guvercin) -> None:
    guvercin("hesap", "ekle", "Muhasebe")
    guvercin("hesap", "sil", "1", "--evet")

    done = guvercin("gonder", "+905000000001", "Merhaba", code=3)
    assert done.err == (
        "Error: There is no account to send with.\n"
        "Remedy: Choose one: guvercin hesap varsayilan NO, or name one: --hesap NO\n"
    )
    assert guvercin("gonder", "+905000000001", "Merhaba", "--hesap", "2").out
