"""What the owner decided outside the database: read once, checked at start, then handed down as plain values.

Laws
1. The environment (GUVERCIN_*) wins over `guvercin.toml` in the data folder, and that over the defaults.
2. Nothing is guessed: an unknown key and a wrong value stop the start, by name, with what to write instead.
3. There is no default secret. The secrets here (the terminal's own token, passwords) can't be printed or serialised,
   and have no place in a file.
"""

import ipaddress
import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from guvercin.core.address import Neighbours
from guvercin.locale import Language, sentence

PREFIX = "GUVERCIN_"
FILE = "guvercin.toml"

_NOT_IN_THE_FILE = frozenset(
    {
        "data_dir",
        "shared_dir",
        "token",
        "database_url",
        "smtp_password",
        "ntfy_token",
        "otlp_token",
        "whatsapp_test_server",
    }
)
"""The first says where the file is, the second belongs to the address of a database; then come secrets, and
files are copied, mailed and backed up; the last is for an hour of trying and must not outlive it."""

TEST_ENVIRONMENT = "environment.json"
"""In the folder of a WhatsApp test server: the variables that make an engine's process dial it."""

TEST_MARK = "deneme-sunucusu"
"""In the folder of the engines' stores: the phones linked there are those of a test server."""

_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "host": sentence("Write an address of this machine, such as 127.0.0.1."),
        "port": sentence("Write a number from 1 to 65535, such as 8080."),
        "data_dir": sentence("Write a folder, such as ~/guvercin."),
        "database_url": sentence(
            "Write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out: the database is then a file in the data "
            "folder. Of a password, write what is no letter and no digit as in %40."
        ),
        "shared_dir": sentence("Write a folder that every gateway of the database reaches, such as /srv/guvercin."),
        "node_url": sentence("Write the address at which the other gateways reach this one: http://10.0.0.5:8080"),
        "lease_seconds": sentence("Write a number of seconds from 1 to 300, such as 15."),
        "file_roots": sentence("Write whole paths of folders, with a colon between them: /srv/invoices:/srv/photos"),
        "timezone": sentence("Write a name such as Europe/Istanbul."),
        "allow_public": sentence("Write 1 or 0."),
        "whatsapp_test_server": sentence("Write the folder that guvercin deneme-sunucusu names, or leave it out."),
        "forwarded_allow_ips": sentence("Write the addresses of your proxies, with a comma between them."),
        "max_connections": sentence("Write a number from 1 to 100000, such as 1000."),
        "request_timeout": sentence("Write a number of seconds from 1 to 3600, such as 20."),
        "accounts_per_worker": sentence("Write a number from 1 to 20; 1 keeps the accounts apart."),
        "graph_url": sentence("Write https:// and a host; http:// is taken for this machine alone."),
        "graph_version": sentence("Write a version such as v25.0."),
        "alert_email": sentence("Write mail addresses, with commas: owner@shop.example"),
        "alert_ntfy": sentence("Write the address of a topic: https://ntfy.example/my-topic"),
        "alert_language": sentence("Write one of these: tr, en"),
        "smtp_host": sentence("Write the name of your mail server, such as mail.shop.example."),
        "smtp_port": sentence("Write a number from 1 to 65535, such as 587."),
        "smtp_security": sentence("Write one of these: starttls, tls, none"),
        "keep_text_days": sentence("Write a number of days, or 0 to keep texts for ever."),
        "keep_record_days": sentence("Write a number of days, or 0 to keep records for ever."),
        "keep_audit_days": sentence("Write a number of days, at least 1096, or 0 to keep the audit for ever."),
        "backup_days": sentence("Write a number of days, or 0 to be asked for no backups."),
        "webhook_allow": sentence("Write addresses, networks or names, with commas: 192.168.1.0/24, till.local"),
        "otlp_url": sentence("Write the address of a collector's traces: http://127.0.0.1:4318/v1/traces"),
        "log_level": sentence("Write one of these: debug, info, warning, error"),
        "log_format": sentence("Write one of these: text, json"),
    },
)


_THREE_YEARS = 1_096
"""In days."""


class ConfigError(Exception):
    """The settings can't be used. `what` and `remedy` are English sentences of the catalogue; `params` fill both."""

    def __init__(self, what: str, remedy: str, **params: str | int) -> None:
        super().__init__(what.format(**params))
        self.what = what
        self.remedy = remedy
        self.params = params


def _folders(written: object) -> object:
    """Accept the environment's `/a:/b` beside the file's list."""
    return [part for part in written.split(":") if part] if isinstance(written, str) else written


def _absolute(folder: object) -> object:
    path = Path(str(folder)).expanduser()
    if not path.is_absolute():
        raise ValueError("relative")
    return path


def _zone(name: object) -> object:
    try:
        return name if isinstance(name, ZoneInfo) else ZoneInfo(str(name))
    except (LookupError, OSError) as error:  # a folder of zones («Europe») is an OSError
        raise ValueError("zone") from error


def _server(url: object) -> object:
    """Accept the address of a server: encrypted, or on this machine (the fake that tests run)."""
    found = re.fullmatch(
        r"(https://[A-Za-z0-9.-]+(:[0-9]+)?|http://(127\.0\.0\.1|localhost|\[::1\]):[0-9]+)/?", str(url)
    )
    if found is None:
        raise ValueError("server")
    return found[1]


def _words(written: object) -> object:
    """Accept the environment's `a, b` beside the file's list."""
    return [part.strip() for part in written.split(",") if part.strip()] if isinstance(written, str) else written


def _neighbours(written: tuple[str, ...]) -> tuple[str, ...]:
    Neighbours.read(written)
    return written


def _three_years(days: int) -> int:
    """Accept what keeps the log of destructions as long as the regulation on destruction asks."""
    if 0 < days < _THREE_YEARS:
        raise ValueError("short")
    return days


_POSTGRES = re.compile(r"postgres(ql)?://([\w.~%-]*(:[\w.~!$&*+,=%-]*)?@)?[\w.,:\[\]%/-]*(\?[^#\s]*)?", re.ASCII)
"""The address of a database, strict enough that no part of a password is taken for a host, which would be told."""


def _database_url(url: object) -> object:
    if not url:
        return None
    if not _POSTGRES.fullmatch(str(url)):
        raise PydanticCustomError("database_url", "no address of a database")  # its words are nobody's to repeat
    if find_spec("psycopg") is None:
        raise PydanticCustomError("psycopg", "the driver is not installed")
    return url


class Config(BaseSettings):
    """The settings of one process. Made by `load`; nothing below `main` sees it.

    `forwarded_allow_ips` names the proxies whose X-Forwarded-For is believed. `token` is what the terminal signs in
    with, if its owner doesn't leave that to the data folder.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: Annotated[str, Field(pattern=r"^[0-9A-Za-z.:_-]+$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8080
    data_dir: Annotated[Path, BeforeValidator(_absolute)]
    database_url: Annotated[SecretStr | None, BeforeValidator(_database_url)] = None
    shared_dir: Annotated[Path, BeforeValidator(_absolute)] | None = None
    node_url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9._-]+(:[0-9]+)?$")] | None = None
    lease_seconds: Annotated[float, Field(ge=1, le=300)] = 15.0
    file_roots: Annotated[
        tuple[Annotated[Path, BeforeValidator(_absolute)], ...], NoDecode, BeforeValidator(_folders)
    ] = ()
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("Europe/Istanbul")
    token: SecretStr | None = None
    allow_public: bool = False
    forwarded_allow_ips: str = "127.0.0.1"
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    request_timeout: Annotated[float, Field(ge=1, le=3_600)] = 20.0
    graph_url: Annotated[str, BeforeValidator(_server)] = "https://graph.facebook.com"
    graph_version: Annotated[str, Field(pattern=r"^v[0-9]{2}\.0$")] = "v25.0"
    accounts_per_worker: Annotated[int, Field(ge=1, le=20)] = 1
    webhook_allow: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words), AfterValidator(_neighbours)] = ()
    alert_email: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...], NoDecode, BeforeValidator(_words)
    ] = ()
    alert_ntfy: Annotated[str, Field(pattern=r"^https?://[!-~]+$")] | None = None
    ntfy_token: SecretStr | None = None
    alert_language: Language = Language.TR
    smtp_host: Annotated[str, Field(pattern=r"^[0-9A-Za-z.:-]+$")] | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    keep_text_days: Annotated[int, Field(ge=0, le=36_500)] = 90
    keep_record_days: Annotated[int, Field(ge=0, le=36_500)] = 365
    keep_audit_days: Annotated[int, Field(ge=0, le=36_500), AfterValidator(_three_years)] = 1_096
    backup_days: Annotated[int, Field(ge=0, le=3_650)] = 7
    otlp_url: Annotated[str, Field(pattern=r"^https?://[!-~]+$")] | None = None
    otlp_token: SecretStr | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    whatsapp_test_server: Annotated[Path, BeforeValidator(_absolute)] | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, file. No .env file: it would be found by where one stands."""
        del dotenv_settings, file_secret_settings
        file = TomlConfigSettingsSource(settings_cls, init_settings()["data_dir"] / FILE)
        for name in sorted(_NOT_IN_THE_FILE & file.toml_data.keys()):
            raise _unknown_key(name)
        return init_settings, env_settings, file

    @property
    def database(self) -> Path:
        """Answer where the database file is."""
        return self.data_dir / "guvercin.db"

    @property
    def postgres(self) -> str | None:
        """Answer the address of the PostgreSQL that holds the database, password and all; null: it is the file."""
        return None if self.database_url is None else self.database_url.get_secret_value()

    @property
    def shelf(self) -> Path:
        """Answer what all gateways of a database share: the key, files of messages, set-ups of Cloud numbers."""
        return self.shared_dir or self.data_dir

    @property
    def lock(self) -> Path:
        """Answer the file whose lock says that a process sends; it holds that process's id and address as JSON."""
        return self.data_dir / "guvercin.lock"

    @property
    def spool(self) -> Path:
        """Answer the folder of our copies of files."""
        return self.shelf / "spool"

    @property
    def engine_stores(self) -> Path:
        """Answer the folder in which each linked account has a folder of its engine's: any gateway can run it."""
        return self.shelf / "web"

    @property
    def former_stores(self) -> Path:
        """Answer where those folders lie while a gateway is alone, and may still lie when it isn't any more."""
        return self.data_dir / "web"

    @property
    def raised_engines(self) -> Path:
        """Answer the folder of engines that were raised by themselves."""
        return self.data_dir / "motor"

    @property
    def is_public(self) -> bool:
        """Say whether other machines may reach the server."""
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    @property
    def address(self) -> str:
        """Answer the URL at which this machine reaches the server."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 -- compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def with_file_roots(self, *folders: Path) -> Self:
        """Answer the same settings with other file roots."""
        return self.model_copy(update={"file_roots": folders})


def load(*, data_dir: Path | None = None, **decided: object) -> Config:
    """Read the settings. What is given here (options of the command) wins over everything; null is not given.

    Raises ConfigError. Reads `<data_dir>/guvercin.toml` if it is there, and makes nothing.
    """
    given = {name: value for name, value in decided.items() if value is not None}
    try:
        return Config(data_dir=_folder(data_dir), **given)  # type: ignore[arg-type] # the model checks them itself
    except ValidationError as error:
        raise _in_words(error, given) from error
    except tomllib.TOMLDecodeError as error:
        what = sentence("{file} can't be understood: {trouble}")
        raise ConfigError(what, sentence("Write one `name = value` a line."), file=FILE, trouble=str(error)) from error
    except OSError as error:
        what = sentence("{file} can't be read: {trouble}")
        raise ConfigError(
            what, sentence("Check the rights of the file."), file=FILE, trouble=str(error.strerror)
        ) from error


def check(config: Config) -> None:
    """Refuse to serve with settings that would open a door or break at the first message. Raises ConfigError."""
    if config.is_public and not config.allow_public:
        raise ConfigError(
            sentence(
                "{host} can be reached from other machines, and nothing would encrypt what they send, tokens included."
            ),
            sentence("Keep 127.0.0.1 and put a proxy with TLS before it. To open it all the same: --herkese-acik"),
            host=config.host,
        )
    if config.alert_email and not config.smtp_host:
        raise ConfigError(
            sentence("alert_email names a mailbox, and smtp_host no mail server."),
            sentence("Set GUVERCIN_SMTP_HOST, or take alert_email out."),
        )
    if config.shared_dir is not None and config.postgres is None:
        raise ConfigError(
            sentence("GUVERCIN_SHARED_DIR names a folder for several gateways, and the database is a file for one."),
            sentence("Set GUVERCIN_DATABASE_URL as well, or take GUVERCIN_SHARED_DIR out."),
        )
    check_file_roots(config)
    check_test_server(config)


def check_test_server(config: Config) -> None:
    """Keep real phones and those of a WhatsApp test server apart. Raises ConfigError.

    The test server doesn't know a real phone and would answer that it was unlinked: the engine would then forget it.
    """
    for folder in dict.fromkeys((config.engine_stores, config.former_stores)):
        try:
            held = {entry.name for entry in folder.iterdir()}
        except OSError:
            held = set()
        if config.whatsapp_test_server is None and TEST_MARK in held:
            raise ConfigError(
                sentence("The phones linked in {folder} are those of the WhatsApp test server."),
                sentence("Start it and set GUVERCIN_WHATSAPP_TEST_SERVER, or choose another folder: --veri FOLDER"),
                folder=str(folder.parent),
            )
        if config.whatsapp_test_server is not None and held and TEST_MARK not in held:
            raise ConfigError(
                sentence("Phones are linked to the real WhatsApp in {folder}: the test server would unlink them."),
                sentence("Choose another folder for the trial: --veri FOLDER"),
                folder=str(folder.parent),
            )
    if config.whatsapp_test_server is None:
        return
    if not (config.whatsapp_test_server / TEST_ENVIRONMENT).is_file():
        raise ConfigError(
            sentence("No WhatsApp test server runs in {folder}."),
            sentence("Start it: guvercin deneme-sunucusu"),
            folder=str(config.whatsapp_test_server),
        )


def enter_test_server(config: Config) -> Mapping[str, str]:
    """Answer the variables that an engine's process gets on top of ours: none for the real WhatsApp.

    Raises ConfigError. With a test server the folder of sessions is marked as its own, before any phone is linked.
    """
    check_test_server(config)
    if config.whatsapp_test_server is None:
        return {}
    config.engine_stores.mkdir(mode=0o700, parents=True, exist_ok=True)
    (config.engine_stores / TEST_MARK).touch()
    written = json.loads((config.whatsapp_test_server / TEST_ENVIRONMENT).read_text("utf-8"))
    return {str(name): str(value) for name, value in written.items()}


def check_file_roots(config: Config) -> None:
    """Refuse file roots that can't be read. Raises ConfigError."""
    for root in config.file_roots:
        if not os.access(root, os.R_OK | os.X_OK) or not root.is_dir():
            raise ConfigError(
                sentence("The file root {folder} is not a folder that can be read."),
                sentence("Make the folder, or take it out of GUVERCIN_FILE_ROOTS or file_roots."),
                folder=str(root),
            )


def default_data_dir(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Answer the user's own folder for programs' data, as the system has it: never a checkout, never where one is."""
    home = Path(environ.get("HOME") or Path.home())
    if platform == "darwin":
        return home / "Library" / "Application Support" / "guvercin"
    named = Path(environ.get("XDG_DATA_HOME", ""))
    return (named if named.is_absolute() else home / ".local" / "share") / "guvercin"


def _folder(asked: Path | None) -> Path:
    written = asked or os.environ.get(PREFIX + "DATA_DIR")
    if not written:
        return default_data_dir()
    return Path(written).expanduser().absolute()


def _in_words(error: ValidationError, given: Mapping[str, object]) -> ConfigError:
    """Turn the model's first complaint into sentences that name the setting as its owner wrote it."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return _unknown_key(name)
    variable = PREFIX + name.upper()
    in_words = variable if os.environ.get(variable) else f"{name} ({FILE})"
    shown = f"--{name}" if name in given else in_words
    if first["type"] == "psycopg":
        what = sentence("{setting} asks for PostgreSQL, and its driver is not installed.")
        return ConfigError(what, sentence("Install it: pip install 'guvercin[postgres]'"), setting=shown)
    if name == "database_url":
        return ConfigError(
            sentence("{setting} is no address of a PostgreSQL database."), _REMEDIES[name], setting=shown
        )
    return ConfigError(
        sentence("{setting} can't be «{value}»."), _REMEDIES[name], setting=shown, value=str(first["input"])
    )


def _unknown_key(name: str) -> ConfigError:
    return ConfigError(
        sentence("{file} has a key that doesn't exist: {name}"),
        sentence("Take it out, or write one of these: {names}"),
        file=FILE,
        name=name,
        names=", ".join(name for name in Config.model_fields if name not in _NOT_IN_THE_FILE),
    )
