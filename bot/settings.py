"""Every setting, from the environment or `.env`. `.env.example` lists them all (a test holds that)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from storage.engine.opening import is_known, sqlite_path

ENV_FILE = ".env"
LANGUAGES = ("zh_CN", "en")
LIKE = {
    "telegram_tokens": '{"629999101": "TOKEN", "629999102": "TOKEN"}',
    "wechat_notice": '{"kind": "template", "id": "TEMPLATE", "values": {"thing1": "{words}"}}',
    "push_hosts": '["push.example.cn"]',
    "wecom_robots": '{"629999101": "KEY", "三岔村": "KEY"}',
}


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One malformed setting: its name (or `SETTINGS` for several), what is wrong by its code, what fills its text."""

    name: str
    code: str
    fields: Mapping[str, object]


def wrong(code: str, **fields: object) -> PydanticCustomError:
    """Make the error of a malformed value; its text is `setting.<code>` of the command line's texts."""
    return PydanticCustomError(code, code, {name: str(value) for name, value in fields.items()})


def language_named(said: str) -> str:
    """The language that zh_CN, zh-CN, zh_CN.UTF-8 or the system's own list zh_CN:zh names; else what was said."""
    first = re.split(r"[:.@]", said.strip())[0].replace("-", "_").lower()
    return next((one for one in LANGUAGES if one.split("_")[0] == first.split("_")[0]), said.strip())


class Settings(BaseSettings):
    """The operator's choices."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding="utf-8-sig", extra="ignore", env_ignore_empty=True
    )

    data_dir: Path = Field(Path("data"), description="Folder of the database, the photos and the lock file.")
    database_url: str = Field(
        "", description="postgresql://…, or sqlite:///path to another file; empty: jingxiang.db in DATA_DIR."
    )
    vault_key_file: Path | None = Field(
        None,
        description="Opens what is sealed; keep it off DATA_DIR's disk. Empty: vault.key in DATA_DIR.",
    )
    vault_passphrase: str = Field("", description="What the key file is locked with; empty: it is not.")
    media_url: str = Field("", description="s3://bucket/prefix for photos and videos; empty: media in DATA_DIR.")
    media_s3_endpoint: str = Field("", description="Address of an S3-compatible store; empty: AWS's own.")
    media_s3_region: str = Field("", description="Region of the bucket; empty: from the AWS environment, or us-east-1.")
    media_s3_access_key: str = Field("", description="Access key; empty: the usual AWS environment or instance role.")
    media_s3_secret_key: str = Field("", description="The access key's secret.")
    media_s3_virtual_host: bool = Field(False, description="The bucket is a part of the host's name (OSS, COS).")
    web_host: str = Field("127.0.0.1", description="Address the web chat listens on; 0.0.0.0 for the local network.")
    web_port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="Port of the web chat; 0 picks one.")
    web_connections_per_source: Annotated[int, Field(ge=0, le=100_000)] = Field(
        64, description="Connections that one address may hold at a time; 0: any number, behind a proxy elsewhere."
    )
    web_trusted_proxies: str = Field(
        "127.0.0.1,::1", description="Proxies whose X-Forwarded-For says who asks: addresses and networks, with commas."
    )
    web_new_per_minute: Annotated[int, Field(ge=0, le=10_000)] = Field(
        120, description="People who write for the first time, in a minute and a township; 0: nobody counts."
    )
    web_new_per_network_hour: Annotated[int, Field(ge=10, le=100_000)] = Field(
        300, description="Of them from one network (IPv4 /24, IPv6 /64), in an hour."
    )
    metrics_token: str = Field(
        "", description="Bearer token for /metrics and the details of /health; empty: for this computer alone."
    )
    public_url: str = Field("", description="Address by which people reach the web chat, for links and QR pictures.")
    push_hosts: Annotated[list[str], NoDecode] = Field(
        [], description='Hosts of further browsers\' push services that may be called: ["push.example.cn"].'
    )
    timezone: str = Field("Asia/Shanghai", description="The township's time zone, for days, reminders and quiet hours.")
    language: str = Field("zh_CN", description="Language of people whose own is not known: zh_CN or en.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    telegram_token: str = Field("", description="The bot's token from @BotFather; empty: no Telegram.")
    telegram_tokens: Annotated[dict[str, str], NoDecode] = Field(
        {}, description='With several townships, each one\'s own bot, by the township\'s code: {"620622101": "TOKEN"}.'
    )
    telegram_api_url: str = Field("https://api.telegram.org", description="Another Bot API server, if any.")
    telegram_mode: Literal["poll", "webhook"] = Field("poll", description="webhook needs an https PUBLIC_URL.")
    telegram_webhook_secret: str = Field("", description="Secret that Telegram repeats on every webhook call.")
    telegram_rate_per_second: Annotated[int, Field(ge=0, le=1000)] = Field(
        30, description="Messages a second over all chats (Telegram's limit is 30); 0: no limit, for an own server."
    )
    wechat_app_id: str = Field("", description="The Official Account's AppID (开发者ID); empty: no WeChat.")
    wechat_app_secret: str = Field("", description="Its AppSecret.")
    wechat_token: str = Field("", description="The Token of the account's server settings: 3 to 32 letters and digits.")
    wechat_aes_key: str = Field("", description="The EncodingAESKey of 43 characters; not needed in mode plain.")
    wechat_aes_key_previous: str = Field("", description="The key before, while WeChat may still use it.")
    wechat_mode: Literal["plain", "compatible", "safe"] = Field("safe", description="As in the server settings.")
    wechat_township: str = Field("", description="With several townships, the code of the account's; empty: the first.")
    wechat_notice: Annotated[dict[str, Any], NoDecode] = Field(
        {},
        description="The template or subscription notice for news to people who have not written for 48 hours:"
        ' {"kind": "template", "id": "…", "values": {"thing1": "{words}", "time2": "{time}"}}.',
    )
    wechat_api_url: str = Field("https://api.weixin.qq.com", description="Another host of WeChat's API, for tests.")
    wecom_robots: Annotated[dict[str, str], NoDecode] = Field(
        {}, description='Each WeCom group robot\'s key, by the code or name of its area: {"629999101": "KEY"}.'
    )
    wecom_api_url: str = Field("https://qyapi.weixin.qq.com", description="Another host of WeCom's API, for tests.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise wrong("zone")
        return value

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        found = language_named(value)
        if found not in LANGUAGES:
            raise wrong("language")
        return found

    @field_validator("telegram_tokens", "wechat_notice", "wecom_robots", "push_hosts", mode="before")
    @classmethod
    def _is_json(cls, value: object, info: ValidationInfo) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise wrong("like", like=LIKE[info.field_name or ""]) from None

    @field_validator("push_hosts")
    @classmethod
    def _are_hosts(cls, value: list[str]) -> list[str]:
        if not all(re.fullmatch(r"([a-z0-9-]+\.)+[a-z][a-z0-9-]*[a-z0-9]", one) for one in value):
            raise wrong("like", like=LIKE["push_hosts"])
        return value

    @field_validator("web_trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        named = [one.strip() for one in value.split(",") if one.strip()]
        try:
            return ",".join(one for one in named if ip_network(one))
        except ValueError:
            raise wrong("like", like="127.0.0.1,10.0.0.0/8") from None

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not is_known(value):
            raise wrong("database")
        return value

    @field_validator("public_url", "telegram_api_url", "media_s3_endpoint", "wechat_api_url", "wecom_api_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise wrong("http")
        return value.rstrip("/")

    @field_validator("media_url")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if value and not re.fullmatch(r"s3://[A-Za-z0-9][A-Za-z0-9.-]+(/[A-Za-z0-9._/-]*)?", value):
            raise wrong("bucket")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _a_bot_is_of_one_township(self) -> Settings:
        bots = [token for token in (self.telegram_token, *self.telegram_tokens.values()) if token]
        if len(set(bots)) < len(bots):
            raise wrong("one_bot_twice")
        return self

    @model_validator(mode="after")
    def _media_are_reachable(self) -> Settings:
        if bool(self.media_s3_access_key) != bool(self.media_s3_secret_key):
            raise wrong("keys_together")
        if self.media_s3_virtual_host and not self.media_s3_endpoint:
            raise wrong("needs", one="MEDIA_S3_VIRTUAL_HOST", other="MEDIA_S3_ENDPOINT")
        return self

    @model_validator(mode="after")
    def _webhook_is_complete(self) -> Settings:
        if (self.telegram_token or self.telegram_tokens) and self.telegram_mode == "webhook":
            if not self.public_url:
                raise wrong("needs", one="TELEGRAM_MODE=webhook", other="PUBLIC_URL")
            if not self.telegram_webhook_secret:
                raise wrong("needs", one="TELEGRAM_MODE=webhook", other="TELEGRAM_WEBHOOK_SECRET")
        return self

    @model_validator(mode="after")
    def _an_account_is_complete(self) -> Settings:
        if not self.wechat_app_id:
            return self
        missing = [name for name in ("wechat_app_secret", "wechat_token") if not getattr(self, name)]
        if self.wechat_mode != "plain" and not self.wechat_aes_key:
            missing.append("wechat_aes_key")
        if missing:
            raise wrong("needs", one="WECHAT_APP_ID", other=", ".join(missing).upper())
        for key in (self.wechat_aes_key, self.wechat_aes_key_previous):
            if key and not re.fullmatch(r"[A-Za-z0-9]{43}", key):
                raise wrong("aes_key")
        return self

    @field_validator("wechat_notice")
    @classmethod
    def _is_a_notice(cls, value: dict[str, Any]) -> dict[str, Any]:
        whole = set(value) == {"kind", "id", "values"} and value["kind"] in ("template", "subscription")
        values = value.get("values")
        texts = isinstance(values, dict) and all(isinstance(one, str) for one in values.values())
        if value and not (whole and texts):
            raise wrong("notice", like=LIKE["wechat_notice"])
        for one in values.values() if isinstance(values, dict) else ():
            if set(re.findall(r"\{(.*?)\}", one)) - {"words", "time", "date"}:
                raise wrong("notice_values")
        return value

    @property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.data_dir / 'jingxiang.db'}"

    @property
    def vault_key(self) -> Path:
        """The key file of the vault."""
        return self.vault_key_file or self.data_dir / "vault.key"

    @property
    def database_path(self) -> Path | None:
        """The SQLite file; None with a server."""
        return sqlite_path(self.database)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never reach a log."""
        password = urlsplit(self.database_url).password or ""
        bots = (self.telegram_token, *self.telegram_tokens.values(), self.telegram_webhook_secret)
        account = (self.wechat_app_secret, self.wechat_token, self.wechat_aes_key, self.wechat_aes_key_previous)
        others = (self.media_s3_secret_key, self.vault_passphrase, self.metrics_token, password)
        return (*bots, *account, *self.wecom_robots.values(), *others)

    @property
    def push_contact(self) -> str:
        """By what push services may know who calls: our https host; "" without one, then there are no pushes."""
        url = urlsplit(self.public_url)
        return f"https://{url.hostname}" if url.scheme == "https" and url.hostname else ""

    @property
    def zone(self) -> ZoneInfo:
        """The township's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def address(self) -> str:
        """The web chat's address."""
        host = "127.0.0.1" if self.web_host in ("0.0.0.0", "::") else self.web_host  # noqa: S104
        return self.public_url or f"http://{host}:{self.web_port}"


def faults(error: ValidationError) -> list[SettingFault]:
    """Everything that is malformed, in the order of the settings."""
    found = []
    for one in error.errors():
        name = "_".join(str(part) for part in one["loc"][:1]).upper()
        found.append(SettingFault(name or "SETTINGS", one["type"], {**one.get("ctx", {}), "said": one["msg"]}))
    return found
