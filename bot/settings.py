"""Every setting, from the environment or `.env`. `.env.example` lists them all (a test holds that)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The operator's choices."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    data_dir: Path = Field(Path("data"), description="Folder of the database, the photos and the lock file.")
    database_url: str = Field("", description="sqlite:///path to another file; empty: jingxiang.db in DATA_DIR.")
    web_host: str = Field("127.0.0.1", description="Address the web chat listens on; 0.0.0.0 for the local network.")
    web_port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="Port of the web chat; 0 picks one.")
    public_url: str = Field("", description="Address by which people reach the web chat, for links and QR pictures.")
    timezone: str = Field("Asia/Shanghai", description="The township's time zone, for days, reminders and quiet hours.")
    language: str = Field("zh_CN", description="Language of people whose own is not known: zh_CN or en.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    telegram_token: str = Field("", description="The bot's token from @BotFather; empty: no Telegram.")
    telegram_api_url: str = Field("https://api.telegram.org", description="Another Bot API server, if any.")
    telegram_mode: Literal["poll", "webhook"] = Field("poll", description="webhook needs an https PUBLIC_URL.")
    telegram_webhook_secret: str = Field("", description="Secret that Telegram repeats on every webhook call.")
    telegram_rate_per_second: Annotated[int, Field(ge=0, le=1000)] = Field(
        30, description="Messages a second over all chats (Telegram's limit is 30); 0: no limit, for an own server."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("not a time zone name such as Asia/Shanghai")
        return value

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in ("zh_CN", "en"):
            raise ValueError("must be zh_CN or en")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith("sqlite:///"):
            raise ValueError("must be sqlite:///PATH or empty")
        return value

    @field_validator("public_url", "telegram_api_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _webhook_is_complete(self) -> Settings:
        if self.telegram_token and self.telegram_mode == "webhook":
            if not self.public_url:
                raise ValueError("TELEGRAM_MODE=webhook needs PUBLIC_URL")
            if not self.telegram_webhook_secret:
                raise ValueError("TELEGRAM_MODE=webhook needs TELEGRAM_WEBHOOK_SECRET")
        return self

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return (
            Path(self.database_url.removeprefix("sqlite:///")) if self.database_url else self.data_dir / "jingxiang.db"
        )

    @property
    def zone(self) -> ZoneInfo:
        """The township's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def address(self) -> str:
        """The web chat's address."""
        host = "127.0.0.1" if self.web_host in ("0.0.0.0", "::") else self.web_host  # noqa: S104
        return self.public_url or f"http://{host}:{self.web_port}"


def faults(error: ValidationError) -> list[str]:
    """One clear line for each malformed setting."""
    lines = []
    for one in error.errors():
        name = "_".join(str(part) for part in one["loc"]).upper()
        lines.append(f"{name or 'settings'}: {one['msg'].removeprefix('Value error, ')}")
    return lines
