"""The settings: where they come from, which one wins, and what is said of a wrong one."""

import json
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from guvercin import config
from guvercin.cli.accounts import _SECRETS
from guvercin.config import Config, ConfigError, check, default_data_dir, load

DOCS = Path(__file__).resolve().parents[2] / "docs" / "CONFIGURATION.md"


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "guvercin.toml").write_text(text, encoding="utf-8")
    return folder


def test_nothing_is_needed(tmp_path: Path) -> None:
    found = load(data_dir=tmp_path)

    assert (found.host, found.port, found.address) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert found.timezone == ZoneInfo("Europe/Istanbul")
    assert found.file_roots == ()
    assert found.token is None
    assert list(tmp_path.iterdir()) == []


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, 'port = 1001\nhost = "127.0.0.2"\ntimezone = "Europe/Berlin"\n')
    monkeypatch.setenv("GUVERCIN_PORT", "1002")
    monkeypatch.setenv("GUVERCIN_HOST", "127.0.0.3")

    found = load(data_dir=tmp_path, port=1003, host=None)
    assert (found.port, found.host, found.timezone.key) == (1003, "127.0.0.3", "Europe/Berlin")


def test_an_empty_variable_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUVERCIN_PORT", "")
    assert load(data_dir=tmp_path).port == 8080


def test_file_roots_from_both_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(data_dir=written(tmp_path, 'file_roots = ["/srv/a", "/srv/b"]')).file_roots == (
        Path("/srv/a"),
        Path("/srv/b"),
    )
    monkeypatch.setenv("GUVERCIN_FILE_ROOTS", "/srv/c:/srv/d:")
    assert load(data_dir=tmp_path).file_roots == (Path("/srv/c"), Path("/srv/d"))


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("prot = 1", "guvercin.toml has a key that doesn't exist: prot", "port"),
        ("[server]\nport = 1", "guvercin.toml has a key that doesn't exist: server", "port"),
        ('token = "gv_0"', "guvercin.toml has a key that doesn't exist: token", "host"),
        ('data_dir = "/srv"', "guvercin.toml has a key that doesn't exist: data_dir", "host"),
        ("port = 0", "port (guvercin.toml) can't be «0».", "65535"),
        ("port = 65536", "port (guvercin.toml) can't be «65536».", "65535"),
        ('port = "x"', "port (guvercin.toml) can't be «x».", "65535"),
        ('host = "http://a"', "host (guvercin.toml) can't be «http://a».", "127.0.0.1"),
        ('timezone = "Europe/Ankara"', "timezone (guvercin.toml) can't be «Europe/Ankara».", "Europe/Istanbul"),
        ('timezone = "Europe"', "timezone (guvercin.toml) can't be «Europe».", "Europe/Istanbul"),
        ('timezone = "../x"', "timezone (guvercin.toml) can't be «../x».", "Europe/Istanbul"),
        ('file_roots = ["srv"]', "file_roots (guvercin.toml) can't be «srv».", "whole paths"),
        ('allow_public = "perhaps"', "allow_public (guvercin.toml) can't be «perhaps».", "1 or 0"),
        ('log_level = "loud"', "log_level (guvercin.toml) can't be «loud».", "warning"),
        ('log_format = "xml"', "log_format (guvercin.toml) can't be «xml».", "json"),
        (
            'database_url = "postgresql://db/x"',
            "guvercin.toml has a key that doesn't exist: database_url",
            "host",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_write(tmp_path: Path, text: str, what: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(data_dir=written(tmp_path, text))
    assert str(error.value) == what
    assert remedy in error.value.remedy.format(**error.value.params)


def test_a_wrong_variable_is_named_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUVERCIN_PORT", "eighty")
    with pytest.raises(ConfigError, match=r"^GUVERCIN_PORT can't be «eighty»\.$"):
        load(data_dir=tmp_path)


@pytest.mark.parametrize("url", ["mysql://a:geheim@db/x", "postgresql://a:ge#heim@db/x", "postgresql://a:ge@heim@db/x"])
def test_an_address_that_cannot_be_read_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """A password that is not written as a URL wants it would be taken for a host, and hosts are told."""
    monkeypatch.setenv("GUVERCIN_DATABASE_URL", url)
    with pytest.raises(ConfigError, match=r"^GUVERCIN_DATABASE_URL is no address of a PostgreSQL database\.$") as error:
        load(data_dir=tmp_path)
    assert "heim" not in repr(error.value.params)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://guvercin:a%40b@db.example:5432/guvercin?sslmode=verify-full",
        "postgres://guvercin@/guvercin?host=/run/postgresql",
        "postgresql:///guvercin",
    ],
)
def test_the_address_of_a_database_is_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    monkeypatch.setenv("GUVERCIN_DATABASE_URL", url)
    config = load(data_dir=tmp_path)
    assert config.postgres == url
    assert url not in repr(config)


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"guvercin\.toml can't be understood: .*line 1"):
        load(data_dir=written(tmp_path, "port 8080"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "example.com"])  # noqa: S104 -- refused, not bound
def test_a_public_address_has_to_be_meant(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError, match="can be reached from other machines"):
        check(load(data_dir=tmp_path, host=host))
    check(load(data_dir=tmp_path, host=host, allow_public=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_permission(tmp_path: Path, host: str) -> None:
    check(load(data_dir=tmp_path, host=host))


def test_a_file_root_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder that can be read"):
        check(load(data_dir=tmp_path).with_file_roots(tmp_path / "gone"))


@pytest.fixture
def test_server(tmp_path: Path) -> Path:
    """Answer the folder of a test server that runs."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / config.TEST_ENVIRONMENT).write_text('{"SSL_CERT_FILE": "/there/authority.crt"}')
    return folder


def test_without_a_test_server_an_engine_gets_nothing_more(tmp_path: Path) -> None:
    assert config.enter_test_server(load(data_dir=tmp_path)) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_test_server_tells_what_an_engine_needs(tmp_path: Path, test_server: Path) -> None:
    found = load(data_dir=tmp_path / "data", whatsapp_test_server=test_server)
    assert config.enter_test_server(found) == {"SSL_CERT_FILE": "/there/authority.crt"}
    check(found)


def test_a_test_server_that_does_not_run_is_missed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No WhatsApp test server runs"):
        check(load(data_dir=tmp_path, whatsapp_test_server=tmp_path / "gone"))


def test_a_test_server_never_meets_real_phones(tmp_path: Path, test_server: Path) -> None:
    """It would say that it doesn't know them, and the engine would forget them."""
    real = load(data_dir=tmp_path / "data")
    (real.engine_stores / "2").mkdir(parents=True)
    check(real)
    with pytest.raises(ConfigError, match="linked to the real WhatsApp"):
        config.enter_test_server(load(data_dir=tmp_path / "data", whatsapp_test_server=test_server))


def test_the_real_whatsapp_never_meets_phones_of_a_test_server(tmp_path: Path, test_server: Path) -> None:
    config.enter_test_server(load(data_dir=tmp_path / "data", whatsapp_test_server=test_server))
    with pytest.raises(ConfigError, match="those of the WhatsApp test server"):
        check(load(data_dir=tmp_path / "data"))


def test_the_address_is_one_that_this_machine_can_open(tmp_path: Path) -> None:
    assert load(data_dir=tmp_path, host="::", port=9000).address == "http://127.0.0.1:9000"
    assert load(data_dir=tmp_path, host="::1").address == "http://[::1]:8080"


def test_the_token_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUVERCIN_TOKEN", "gv_secret")
    found = load(data_dir=tmp_path)

    assert found.token is not None
    assert found.token.get_secret_value() == "gv_secret"
    for text in (repr(found), str(found), found.model_dump_json(), json.dumps(found.model_dump(), default=str)):
        assert "gv_secret" not in text


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/share/guvercin"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/x/guvercin"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "relative"}, "/h/.local/share/guvercin"),
        ("darwin", {"HOME": "/h", "XDG_DATA_HOME": "/x"}, "/h/Library/Application Support/guvercin"),
    ],
)
def test_the_data_folder_is_where_the_system_keeps_such(platform: str, environ: dict[str, str], folder: str) -> None:
    assert default_data_dir(environ, platform) == Path(folder)


def test_the_settings_cant_be_changed(tmp_path: Path) -> None:
    found = load(data_dir=tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(found, "port", 1)  # noqa: B010 -- mypy knows better already


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"^\| `GUVERCIN_([A-Z_]+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    of_the_terminal = {"LANG", *(variable.removeprefix("GUVERCIN_") for variable, _ in _SECRETS.values())}
    assert documented == {name.upper() for name in Config.model_fields} | of_the_terminal


def test_every_setting_that_can_be_wrong_has_its_remedy() -> None:
    any_text = {"token", "ntfy_token", "otlp_token", "smtp_user", "smtp_password", "smtp_from"}
    assert set(Config.model_fields) - set(config._REMEDIES) == any_text
