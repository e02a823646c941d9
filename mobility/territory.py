"""A territory file: one YAML that says what a snapshot is built from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from carpool.driving_costs import POWER_CLASSES, DrivingCosts
from carpool.offers import Energy
from core.errors import InvalidInput
from core.time import get_zone

MILLICENTS_LIMIT = 1_000_000
"""Ten euros per kilometre."""


class InvalidTerritory(InvalidInput):
    """A territory file that cannot be read or lacks something."""

    code = "invalid_territory"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedSource(_Model):
    """One GTFS feed; its id scopes all ids of the feed."""

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    path: Path


class FileSource(_Model):
    """A file beside the territory file."""

    path: Path


class Place(_Model):
    """A place in degrees."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class Attribution(_Model):
    """A notice that the page shows."""

    text: str
    url: str | None = None


class LimitValues(_Model):
    """Seconds that a territory sets for all searches."""

    change_s: int = Field(default=60, ge=0, le=3600)
    carpool_change_s: int = Field(default=300, ge=0, le=3600)
    pickup_stop_s: int = Field(default=60, ge=0, le=600)


class DrivingCostValues(_Model):
    """What driving costs here, where that is known better than `carpool.driving_costs` does."""

    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    toll_millicents_per_km: int | None = Field(default=None, ge=0, le=MILLICENTS_LIMIT)
    energy_millicents_per_km: dict[Energy, Annotated[int, Field(ge=0, le=MILLICENTS_LIMIT)]] = (
        Field(default_factory=dict)
    )
    """Of a car of any power."""

    def costs(self) -> DrivingCosts:
        """The same over what is usual."""
        usual = DrivingCosts(self.currency)
        toll = self.toll_millicents_per_km
        return replace(
            usual,
            toll_millicents_per_km=usual.toll_millicents_per_km if toll is None else toll,
            energy_millicents_per_km={
                **usual.energy_millicents_per_km,
                **{
                    energy: (per_km,) * (len(POWER_CLASSES) + 1)
                    for energy, per_km in self.energy_millicents_per_km.items()
                },
            },
        )


class Territory(_Model):
    """The whole file."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    generated: bool = False
    timezone: str
    languages: tuple[str, ...] = ("fr", "en")
    centre: Place | None = None
    feeds: tuple[FeedSource, ...] = Field(min_length=1)
    osm: FileSource | None = None
    """Absent where there is no street map: walks are straight lines then."""
    carpool_places: FileSource | None = None
    tariff: Path | None = None
    offers: Path | None = None
    riders: Path | None = None
    attributions: tuple[Attribution, ...] = ()
    limits: LimitValues = LimitValues()
    driving_costs: DrivingCostValues = DrivingCostValues()
    speeds: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TerritoryFile:
    """A territory and the folder that its paths are relative to."""

    territory: Territory
    folder: Path

    def path(self, relative: Path) -> Path:
        """Place of a file that the territory names."""
        return (self.folder / relative).resolve()

    def check_files(self) -> None:
        """Raise `InvalidTerritory` when a file that stands beside the feeds is not there."""
        t = self.territory
        named = {
            "osm": None if t.osm is None else t.osm.path,
            "carpool_places": None if t.carpool_places is None else t.carpool_places.path,
            "tariff": t.tariff,
            "riders": t.riders,
        }
        for field, relative in named.items():
            if relative is not None and not self.path(relative).is_file():
                raise InvalidTerritory(f"{field}: there is no file {self.path(relative)}")

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the territory."""
        return get_zone(self.territory.timezone)


def read_territory(path: Path) -> TerritoryFile:
    """Read a territory file; raises `InvalidTerritory` naming the field and what is wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        territory = Territory.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidTerritory(f"cannot read territory {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidTerritory(f"{path}: {where or 'file'}: {first['msg']}") from error
    get_zone(territory.timezone)
    ids = [feed.id for feed in territory.feeds]
    if len(set(ids)) != len(ids):
        raise InvalidTerritory(f"{path}: feeds: two feeds have the same id")
    return TerritoryFile(territory, path.resolve().parent)
