"""Settings, frozen: from the environment or `.env`, all optional. The contract names and explains them."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

log = logging.getLogger(__name__)


def _blank_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _blank_is_no(value: object) -> object:
    return False if isinstance(value, str) and not value.strip() else value


def _known_database(url: str) -> str:
    if not url.startswith(("sqlite://", "postgres://", "postgresql://")):
        raise ValueError("要用 sqlite:// 或 postgres:// 开头")
    return url


_SECRET = ("token", "secret", "_key")
Text = Annotated[str | None, BeforeValidator(_blank_is_none)]


class Settings(BaseSettings):
    """What the outside decides. Read once at start; nobody changes it."""

    model_config = SettingsConfigDict(env_prefix="LINLI_", env_file=".env", extra="ignore", frozen=True)

    database_url: Annotated[str, AfterValidator(_known_database)] = "sqlite://data/linli.db"
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: Text = None
    secret_key: Text = None
    community_dir: Annotated[Path | None, BeforeValidator(_blank_is_none)] = None
    telegram_token: Text = None
    telegram_webhook_url: Text = None
    telegram_webhook_secret: Text = None
    telegram_api_base: str = "https://api.telegram.org/bot"
    telegram_file_base: str = "https://api.telegram.org/file/bot"
    wechat_oa_app_id: Text = None
    wechat_oa_app_secret: Text = None
    wechat_oa_token: Text = None
    wechat_oa_aes_key: Text = None
    wecom_corp_id: Text = None
    wecom_agent_id: Text = None
    wecom_secret: Text = None
    wecom_token: Text = None
    wecom_aes_key: Text = None
    wecom_webhook_key: Text = None
    wecom_aibot_token: Text = None
    wecom_aibot_aes_key: Text = None
    wecom_aibot_id: Text = None
    wecom_aibot_secret: Text = None
    wecom_aibot_ws_url: str = "wss://openws.work.weixin.qq.com"
    wecom_kf: Text = None
    wecom_residents: Annotated[bool, BeforeValidator(_blank_is_no)] = False
    wecom_customer_groups: Text = None
    wechat_api_base: str = "https://api.weixin.qq.com"
    wecom_api_base: str = "https://qyapi.weixin.qq.com"
    clock_start: Annotated[datetime | None, BeforeValidator(_blank_is_none)] = None
    clock_speed: float = Field(default=1.0, gt=0)

    @property
    def data_dir(self) -> Path:
        """Where the house keeps its files: beside the SQLite database, else `data/`."""
        if self.database_url.startswith("sqlite:"):
            return Path(self.database_url.split("://", 1)[1].split("?")[0]).parent
        return Path("data")

    def secrets(self) -> list[str]:
        """What must never be in a log."""
        fields = (name for name in type(self).model_fields if name.endswith(_SECRET))
        values = (str(getattr(self, name) or "") for name in fields)
        parts = (part.rpartition("=")[2] for value in values for part in value.split(","))
        return [part.strip() for part in parts if part.strip()]

    def community_dirs(self) -> list[Path]:
        """Folders with one TOML file a community, the nearer first; the first that has any is used."""
        built_in = Path(__file__).resolve().parent.parent / "communities"
        if self.community_dir is not None:
            return [self.community_dir]
        return [self.data_dir / "communities", built_in]


def secret(settings: Settings) -> bytes:
    """The key that signs links and sessions: given, or made once and kept beside the database (mode 600)."""
    if settings.secret_key:
        return settings.secret_key.encode()
    path = settings.data_dir / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_bytes().strip()


class Fresh:
    """The settings, read again when `.env` changes: a changed secret is in force without a restart."""

    def __init__(self, settings: Settings, path: Path = Path(".env")) -> None:
        self._settings, self._path = settings, path
        self._read = self._stamp()

    def __call__(self) -> Settings:
        stamp = self._stamp()
        if stamp != self._read:
            self._read = stamp
            try:
                self._settings = Settings()
            except ValueError:  # half written, or wrong: what was good so far stays
                log.exception("%s can't be read", self._path)
        return self._settings

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)
