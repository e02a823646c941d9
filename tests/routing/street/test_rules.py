"""OSM tags to who may go, which way and how fast."""

from __future__ import annotations

import pytest

from routing.street.rules import DEFAULT_CAR_KMH, Speeds, speeds_of_territory, use_of_way

pytestmark = pytest.mark.unit
SPEEDS = Speeds()
BOTH, ONWARD, BACK, NONE = "both", "onward", "back", "none"


def use(tags: str) -> dict[str, str]:
    """Directions in which each profile may use a way with tags ``a=b c=d``."""
    way = use_of_way(dict(tag.split("=", 1) for tag in tags.split()), SPEEDS)
    words = {(True, True): BOTH, (True, False): ONWARD, (False, True): BACK, (False, False): NONE}
    return {
        "foot": BOTH if way.foot_mps > 0 else NONE,
        "bike": words[way.bike_forward_mps > 0, way.bike_backward_mps > 0],
        "car": words[way.car_forward_mps > 0, way.car_backward_mps > 0],
    }


@pytest.mark.parametrize(
    ("tags", "foot", "bike", "car"),
    [
        ("highway=residential", BOTH, BOTH, BOTH),
        ("highway=residential oneway=yes", BOTH, ONWARD, ONWARD),
        ("highway=residential oneway=true", BOTH, ONWARD, ONWARD),
        ("highway=residential oneway=-1", BOTH, BACK, BACK),
        ("highway=residential oneway=reverse", BOTH, BACK, BACK),
        ("highway=residential oneway=no", BOTH, BOTH, BOTH),
        ("highway=residential oneway=yes oneway:bicycle=no", BOTH, BOTH, ONWARD),
        ("highway=residential oneway=yes cycleway=opposite_lane", BOTH, BOTH, ONWARD),
        ("highway=tertiary junction=roundabout", BOTH, ONWARD, ONWARD),
        ("highway=tertiary junction=circular", BOTH, ONWARD, ONWARD),
        ("highway=tertiary junction=roundabout oneway=-1", BOTH, BACK, BACK),
        ("highway=tertiary junction=roundabout oneway=no", BOTH, BOTH, BOTH),
        ("highway=motorway", NONE, NONE, ONWARD),
        ("highway=motorway_link", NONE, NONE, ONWARD),
        ("highway=motorway oneway=no", NONE, NONE, BOTH),
        ("highway=trunk", NONE, NONE, BOTH),
        ("highway=trunk foot=yes bicycle=yes", BOTH, BOTH, BOTH),
        ("highway=footway", BOTH, NONE, NONE),
        ("highway=footway bicycle=yes", BOTH, BOTH, NONE),
        ("highway=steps", BOTH, NONE, NONE),
        ("highway=path", BOTH, BOTH, NONE),
        ("highway=path bicycle=no", BOTH, NONE, NONE),
        ("highway=cycleway", BOTH, BOTH, NONE),
        ("highway=cycleway foot=no", NONE, BOTH, NONE),
        ("highway=cycleway oneway=yes", BOTH, ONWARD, NONE),
        ("highway=track", BOTH, BOTH, NONE),
        ("highway=track motor_vehicle=yes", BOTH, BOTH, BOTH),
        ("highway=pedestrian", BOTH, NONE, NONE),
        ("highway=service access=private", NONE, NONE, NONE),
        ("highway=service access=no", NONE, NONE, NONE),
        ("highway=service access=private foot=yes", BOTH, NONE, NONE),
        ("highway=service access=destination", BOTH, BOTH, BOTH),
        ("highway=residential access=no bicycle=designated", NONE, BOTH, NONE),
        ("highway=residential vehicle=no", BOTH, NONE, NONE),
        ("highway=residential vehicle=no bicycle=yes", BOTH, BOTH, NONE),
        ("highway=residential motor_vehicle=no", BOTH, BOTH, NONE),
        ("highway=residential motor_vehicle=no motorcar=yes", BOTH, BOTH, BOTH),
        ("highway=residential foot=private", NONE, BOTH, BOTH),
        ("highway=construction", NONE, NONE, NONE),
        ("highway=proposed foot=yes", NONE, NONE, NONE),
        ("highway=pedestrian area=yes", NONE, NONE, NONE),
        ("route=ferry foot=yes", NONE, NONE, NONE),
        ("foot=yes", NONE, NONE, NONE),
        ("highway=bus_stop", NONE, NONE, NONE),
    ],
)
def test_who_may_use_a_way(tags: str, foot: str, bike: str, car: str) -> None:
    assert use(tags) == {"foot": foot, "bike": bike, "car": car}


def car_kmh(**tags: str) -> float:
    return round(use_of_way(tags, SPEEDS).car_forward_mps * 3.6, 3)


def test_car_drives_the_speed_of_its_class_without_a_limit() -> None:
    assert car_kmh(highway="residential") == DEFAULT_CAR_KMH["residential"]
    assert car_kmh(highway="primary") == DEFAULT_CAR_KMH["primary"]


@pytest.mark.parametrize(
    ("maxspeed", "kmh"),
    [
        ("50", 42.5),  # 85 % of the limit
        ("30 mph", 41.038),  # 30 × 1.609344 × 0.85
        ("5 mph", 6.84),
        ("none", 50), ("walk", 50), ("FR:urban", 50), ("", 50), ("50;70", 50),
        ("0", 50), ("-50", 50), ("500", 50), ("nan", 50), ("inf", 50),
    ],
)  # fmt: skip
def test_signed_limit_counts_when_it_is_a_number_that_can_be_driven(
    maxspeed: str, kmh: float
) -> None:
    assert car_kmh(highway="secondary", maxspeed=maxspeed) == kmh


def test_limit_never_makes_a_yard_or_play_street_faster() -> None:
    assert car_kmh(highway="living_street", maxspeed="50") == DEFAULT_CAR_KMH["living_street"]
    assert car_kmh(highway="service", maxspeed="10") == 10


def test_stairs_are_slower_than_the_flat() -> None:
    stairs, flat = (use_of_way({"highway": kind}, SPEEDS).foot_mps for kind in ("steps", "footway"))
    assert (stairs, flat) == (SPEEDS.stairs_mps, SPEEDS.foot_mps)


@pytest.mark.parametrize(
    ("tags", "may_stop"),
    [
        ("highway=residential", True),
        ("highway=primary", True),
        ("highway=primary maxspeed=70", True),
        ("highway=primary maxspeed=80", False),
        ("highway=primary maxspeed=45\u00a0mph", True),  # unread: as if it were not there
        ("highway=trunk", False),
        ("highway=motorway", False),
        ("highway=primary_link", False),
        ("highway=residential bridge=yes", False),
        ("highway=residential tunnel=yes", False),
        ("highway=residential bridge=no tunnel=no", True),
        ("highway=tertiary junction=roundabout", False),
        ("highway=residential motor_vehicle=no", False),
        ("highway=footway", False),
    ],
)
def test_where_a_driver_may_let_a_rider_in(tags: str, *, may_stop: bool) -> None:
    way = use_of_way(dict(tag.split("=", 1) for tag in tags.split(" ")), SPEEDS)
    assert way.car_may_stop is may_stop


def test_territory_replaces_the_speeds_that_it_states() -> None:
    speeds = speeds_of_territory({"foot_mps": 1, "car_kmh": {"residential": 20}})
    assert speeds.foot_mps == 1.0
    assert speeds.bike_mps == SPEEDS.bike_mps
    assert speeds.car_kmh["residential"] == 20
    assert speeds.car_kmh["primary"] == DEFAULT_CAR_KMH["primary"]
    assert DEFAULT_CAR_KMH["residential"] == 28
