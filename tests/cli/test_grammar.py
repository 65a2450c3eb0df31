"""How a command line is read, and how its help looks."""

import os
import subprocess
import sys

import pytest
from tests.cli.running import Guvercin

from guvercin.cli.grammar import hoist

HELP_TR = """\
Kullanım: guvercin [seçenekler] komut

  Kendi bilgisayarınızda bir WhatsApp mesaj ağ geçidi. Komutlar Türkçe
  harflerle de yazılabilir: gönder.

Seçenekler:
  --veri KLASÖR  Veri klasörü. Satırın her yerinde yazılabilir.
  --ayrinti      Hatanın bütün ayrıntısını göster. Satırın her yerinde
                 yazılabilir.
  --surum        Sürümü göster.
  --help         Bu yardımı göster.

Komutlar:
  baslat, serve                   Sunucuyu başlat.
  gonder, send                    Bir mesaj gönder.
  dosya, file                     Bir dosya gönder.
  toplu, bulk                     Excel ya da CSV listesindekilere metin
                                  gönder.
  toplu-duraklat, bulk-pause      Bir toplu gönderimi duraklat.
  toplu-devam, bulk-resume        Duraklatılmış toplu gönderimi sürdür.
  toplu-iptal, bulk-cancel        Toplu gönderimin kalanını geri çek.
  toplu-rapor, bulk-report        Toplu gönderimin raporunu Excel ya da CSV
                                  olarak yaz.
  durum, status                   Bir mesajı ya da bir bakışta her şeyi
                                  göster.
  kurulum-linki, setup-link       Panelin kurulduğu tek kullanımlık bağlantıyı
                                  yaz.
  parola-sifirla, reset-password  Panel için yeni parola belirle.
  doktor, doctor                  Her şeyi denetle, bozuk olanın nasıl
                                  düzeleceğini söyle.
  denetim, audit                  Kimin ne yaptığını listele, en yeni önce.
  imha, destructions              Nelerin yok edildiğini listele, en yeni
                                  önce.
  saha-testi, field-test          Bağlı telefonu ikinci bir telefonunuzla
                                  gerçekten dener.
  deneme-graph, test-graph        Bir cloud hesabını denemek için Meta
                                  sunucusunun taklidini çalıştır.
  yedek, backup                   Sunucu çalışırken her şeyi tek dosyaya yaz.
  tasi, move                      Veri klasöründeki veritabanını PostgreSQL'e
                                  taşı.
  geri-yukle, restore             Sunucu çalışmıyorken bir yedeği geri yükle.
  deneme-sunucusu, test-server    Bu makinede bir WhatsApp, bu terminalde bir
                                  telefon çalıştır.
  gelen, inbox                    Size yazılanları listele, en yenisi önce;
                                  gönderilen dosyayı kaydet.
  kayit, log                      Kayıtları en yenisinden başlayarak göster;
                                  bırak ya da iptal et.
  hesap, account                  Mesajları gönderen hesaplar.
  tur, category                   Mesaj türleri.
  ret, optout                     Mesaj istemeyenler.
  onay, consent                   Tanıtım mesajına onay verenler.
  kisi, person                    Yazdığınız bir kişi hakkında tutulanlar ve
                                  onu unutmak.
  anahtar, token                  Programların anahtarları.
  kullanici, user                 Panele girebilenler.
  webhook, hook                   Olanları duyan adresler.
  uyari, alert                    Şu anki sorunları göster; uyarı kanallarını
                                  dene.
  motor, engine                   Bağlı telefonların motorunu ve yaşını
                                  göster; yükselt ya da geri al.
"""

ACCOUNT_HELP_EN = """\
Usage: guvercin account [options] command

  The accounts that send.

Options:
  --help  Show this help.

Commands:
  liste, list             List the accounts.
  ekle, add               Add an account.
  bagla, link             Link a phone to an account.
  baglantiyi-kes, unlink  Unlink the phone from an account; its messages wait.
  saglik, health          Look at an account's line this moment.
  okundu, read            Let a customer see that their message was read.
  anlasilmayan, unclear   Show what was told and nobody understood.
  degistir, edit          Change an account's name, pace or policy.
  sil, remove             Remove an account; its log stays.
  varsayilan, default     Make an account the default one.
  hiz, pace               Show or choose how fast an account sends.
  duraklat, pause         Stop an account's line; its messages wait.
  devam, resume           Start a paused account's line again.
"""

COMMANDS = [
    ["baslat"], ["gonder"], ["dosya"], ["durum"], ["doktor"], ["saha-testi"], ["yedek"], ["tasi"], ["geri-yukle"],
    ["toplu"], ["toplu-duraklat"], ["toplu-devam"], ["toplu-iptal"], ["toplu-rapor"], ["deneme-sunucusu"],
    ["kayit"], ["kayit", "birak"], ["kayit", "iptal"],
    ["hesap"], *(["hesap", verb] for verb in ("liste", "ekle", "bagla", "baglantiyi-kes", "saglik", "degistir")),
    *(["hesap", verb] for verb in ("okundu", "anlasilmayan", "sil", "varsayilan", "duraklat", "devam")),
    ["anahtar"], *(["anahtar", verb] for verb in ("uret", "liste", "iptal")),
    ["motor"], *(["motor", verb] for verb in ("yukselt", "geri-al")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "hoisted"),
    [
        ([], []),
        (["durum", "7"], ["durum", "7"]),
        (["durum", "--veri", "/d", "7"], ["--veri", "/d", "durum", "7"]),
        (["durum", "7", "--veri=/d", "--ayrinti"], ["--veri=/d", "--ayrinti", "durum", "7"]),
        (["--veri", "/d", "durum"], ["--veri", "/d", "durum"]),
        (["gonder", "0532", "--", "--ayrinti"], ["gonder", "0532", "--", "--ayrinti"]),
        (["durum", "--veri"], ["--veri"]),
    ],
)
def test_some_options_may_stand_anywhere(line: list[str], hoisted: list[str]) -> None:
    assert hoist(line) == hoisted


def test_the_help_of_a_group_in_english(guvercin: Guvercin) -> None:
    assert guvercin("account", "--help").out == ACCOUNT_HELP_EN


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_in_both_languages(guvercin: Guvercin, path: list[str]) -> None:
    english = guvercin(*path, "--help").out
    guvercin.lang = "tr"
    turkish = guvercin(*path, "--help").out

    assert english.startswith("Usage: guvercin")
    assert "Show this help." in english
    assert turkish.startswith("Kullanım: guvercin")
    assert "Bu yardımı göster." in turkish
    assert "Usage" not in turkish
    assert "required" not in turkish


@pytest.mark.parametrize("name", ["doktor", "doctor", "DOKTOR", "Doktor"])
def test_a_command_has_all_its_names(guvercin: Guvercin, name: str) -> None:
    assert guvercin(name, "--help").out


@pytest.mark.parametrize(
    "line", [["gönder"], ["kayıt", "bırak"], ["hesap", "değiştir"], ["geri-yükle"], ["başlat"], ["GÖNDER"]]
)
def test_turkish_letters_are_forgiven(guvercin: Guvercin, line: list[str]) -> None:
    assert guvercin(*line, "--help").out


@pytest.mark.parametrize(
    ("line", "what", "remedy"),
    [
        (["gonder"], "TELEFON eksik.", "Nasıl yazıldığına bakın: guvercin gonder --help"),
        (["durum", "--hiz"], "Burada --hiz diye bir seçenek yok.", "Nasıl yazıldığına bakın: guvercin durum --help"),
        (["durum", "yedi"], "LOG_ID değeri okunamıyor.", "Nasıl yazıldığına bakın: guvercin durum --help"),
        (["kayit", "--limit", "on"], "--limit değeri okunamıyor.", "Nasıl yazıldığına bakın: guvercin kayit --help"),
        (["gonder", "1", "2", "--bekle", "121"], "--bekle «121» olamaz.", "0 ile 120 arasında bir sayı yazın."),
        (["durum", "--veri"], "--veri değeri okunamıyor.", "Nasıl yazıldığına bakın: guvercin --help"),
        (
            ["ucur"],
            "«ucur» diye bir komut yok.",
            ("Komutlar: baslat, gonder, dosya, toplu, toplu-duraklat, toplu-devam, toplu-iptal, toplu-rapor, durum, "
            "kurulum-linki, parola-sifirla, doktor, denetim, imha, saha-testi, deneme-graph, yedek, tasi, "
            "geri-yukle, deneme-sunucusu, gelen, kayit, hesap, tur, ret, onay, kisi, anahtar, kullanici, webhook, "
            "uyari, motor"),
        ),
        (
            ["gonder", "1", "2", "--tur", "uçurtma"],
            "«uçurtma» diye bir gönderim türü yok.",
            "Türler: fatura, teklif, siparis, teslimat, bakiye, tahsilat, ekstre, randevu, kampanya, genel",
        ),
        (
            ["kayit", "birak"],
            "Bir kayıt numarası yazın ya da bekletilenlerin hepsi için --hepsi deyin.",
            None,
        ),
    ],
)  # fmt: skip
def test_what_cant_be_understood_is_said_in_two_lines(
    guvercin: Guvercin, line: list[str], what: str, remedy: str | None
) -> None:
    guvercin.lang = "tr"
    done = guvercin(*line, code=2)
    assert done.out == ""
    assert done.err == f"Hata: {what}\n" + (f"Çözüm: {remedy}\n" if remedy else "")


def test_commands_are_named_in_the_readers_language(guvercin: Guvercin) -> None:
    assert "Remedy: Commands: serve, send, file," in guvercin("fly", code=2).err


def test_without_a_command_it_helps(guvercin: Guvercin) -> None:
    assert guvercin(code=2).out.startswith("Usage: guvercin [options] command")


def test_the_version(guvercin: Guvercin) -> None:
    from guvercin import __version__

    assert guvercin("--surum").out == f"{__version__}\n"


def test_a_bug_is_told_in_words_and_shown_on_demand(guvercin: Guvercin) -> None:
    # A folder where a small file of ours should be: nothing expects that.
    (guvercin.data_dir / "guvercin.seen").mkdir(parents=True)

    told = guvercin("kayit", code=1)
    assert "Traceback" not in told.err
    assert told.err.startswith("Error: ")
    assert "--ayrinti" in told.err
    assert "Traceback" in guvercin("kayit", "--ayrinti", code=1).err


def test_a_database_that_can_not_be_used(guvercin: Guvercin) -> None:
    (guvercin.data_dir / "guvercin.db").mkdir(parents=True)

    told = guvercin("anahtar", "liste", code=1).err
    assert told.startswith("Error: The database can't be used: unable to open database file\nRemedy: ")
    assert "guvercin doktor" in told


def test_the_help_loads_nothing_heavy() -> None:
    program = """
import sys
sys.argv = ["guvercin", "--help"]
from guvercin.cli import app
try:
    app()
except SystemExit:
    heavy = {"fastapi", "starlette", "sqlalchemy", "pysqlite3", "httpx2", "pydantic", "rich", "uvicorn"}
    heavy.add("phonenumbers")
    print(sorted(heavy & sys.modules.keys()), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "GUVERCIN_LANG": "tr"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == "[]\n"
    assert done.stdout == HELP_TR


def test_a_catalogue_that_is_missing_stops_everything() -> None:
    program = """
import sys
from pathlib import Path
import guvercin.locale
guvercin.locale._FOLDER = Path("/nowhere/locale")
sys.argv = ["guvercin", "durum"]
from guvercin.cli import app
app()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr
