"""The one place that reads the environment."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LogFormat(StrEnum):
    """How log lines look."""

    AUTO = "auto"
    """Text at a terminal, JSON elsewhere."""
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """From which weight on a line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """Number of the level in the standard library."""
        return logging.getLevelNamesMapping()[self.upper()]


class Settings(BaseSettings):
    """Settings of one installation; every field is an environment variable MOBILITY_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="MOBILITY_", frozen=True)

    home: Path = Field(default=Path(".mobility"), description="Data directory of one territory.")
    database_url: str | None = Field(
        default=None, description="External PostgreSQL 16 or later; embedded when absent."
    )
    redis_url: str | None = Field(
        default=None, description="External Valkey or Redis; embedded when absent."
    )
    snapshot: Path | None = Field(
        default=None, description="Snapshot to serve; the newest one of the home when absent."
    )
    web: Path = Field(
        default=Path(__file__).resolve().parent.parent / "web" / "dist",
        description="Built web page.",
    )
    max_plan_window_s: int = Field(
        default=86_400, description="Widest interval that one plan request may search."
    )
    operator: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
        description="Host name by which other carpool operators know this one; that by which the "
        "server is asked when absent.",
    )
    oidc_issuer: str | None = Field(
        default=None, description="OpenID Connect issuer by which people may sign in, an address."
    )
    oidc_client_id: str = Field(default="mobility", description="Name of this server there.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Its secret there; none for a public client."
    )
    log_format: LogFormat = Field(
        default=LogFormat.AUTO, description="Log lines: json, text, or auto by terminal."
    )
    log_level: LogLevel = Field(
        default=LogLevel.INFO, description="Least weight of log lines: debug, info, warning, error."
    )

    @property
    def snapshots(self) -> Path:
        """Where builds put snapshots."""
        return self.home / "snapshots"
