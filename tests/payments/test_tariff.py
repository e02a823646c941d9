"""A tariff file: what it says, and errors that name the field."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from payments.tariff import InvalidTariff, Period, Tier
from payments.tariff_file import parse_tariff, read_tariff, read_tariff_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit

TEXT = """
tariff: valmont
currency: EUR
timezone: Europe/Paris
fare_day_cutover: "04:00"
leg_prices:
  - {id: rail, when: {mode: rail}, base_cents: 180, per_km_millicents: 9000, max_cents: 1200}
  - {id: urban, when: {mode: [bus, tram]}, base_cents: 150}
fare_journeys: {window_min: 60, modes: [bus, tram]}
products:
  - {id: day, period: fare_day, modes: [bus, tram], price_cents: 420}
"""


def changed(path: str, value: Any) -> dict[str, Any]:
    """Content with the value at a dotted path replaced; `...` takes it away."""
    content: Any = copy.deepcopy(yaml.safe_load(TEXT))
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at = content
    for step in parents:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    whole: dict[str, Any] = content
    return whole


def test_tariff_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "tariff.yaml"
    path.write_text(TEXT)
    tariff = read_tariff(path)
    assert (tariff.id, tariff.currency, tariff.timezone) == ("valmont", "EUR", "Europe/Paris")
    assert tariff.cutover_s == 4 * 3600
    assert [(p.id, p.base_cents, p.tiers, p.min_cents, p.max_cents)
            for p in tariff.leg_prices] == [
        ("rail", 180, (Tier(0, None, 9000),), 0, 1200), ("urban", 150, (), 0, None),
    ]  # fmt: skip
    assert [journey.window_s for journey in tariff.fare_journeys] == [3600]
    (day,) = tariff.products
    assert (day.id, day.period, day.price_cents) == ("day", Period.FARE_DAY, 420)


def test_fare_day_begins_at_four_unless_told() -> None:
    assert parse_tariff(changed("fare_day_cutover", ...)).cutover_s == 4 * 3600
    assert parse_tariff(changed("fare_day_cutover", "03:30")).cutover_s == 12_600


def test_products_and_fare_journeys_may_be_left_out() -> None:
    content = changed("products", ...)
    del content["fare_journeys"]
    tariff = parse_tariff(content)
    assert (tariff.products, tariff.fare_journeys) == ((), ())


def test_hash_is_that_of_the_content_and_not_of_its_spelling() -> None:
    content = yaml.safe_load(TEXT)
    turned = dict(reversed(list(content.items())))
    assert parse_tariff(content).content_hash == parse_tariff(turned).content_hash
    other = parse_tariff(changed("products.0.price_cents", 421))
    assert other.content_hash != parse_tariff(content).content_hash


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("tariff", ..., "tariff is missing"),
        ("currency", ..., "currency"),
        ("currency", "euro", "currency"),
        ("currency", 978, "currency"),
        ("timezone", ..., "timezone"),
        ("timezone", "Europe/Pariss", "timezone"),
        ("fare_day_cutover", "25:00", "fare_day_cutover"),
        ("fare_day_cutover", "four", "fare_day_cutover"),
        ("leg_prices", ..., "leg_prices"),
        ("leg_prices", None, "leg_prices"),
        ("leg_prices", {"id": "rail"}, "leg_prices"),
        ("leg_prices.0.id", ..., "id"),
        ("leg_prices.0.when", ..., "when"),
        ("leg_prices.0.when", "rail", "when"),
        ("leg_prices.0.when.mode", "hovercraft", "hovercraft"),
        ("leg_prices.0.when.mode", 3, "mode"),
        ("leg_prices.0.base_cents", 1.5, "base_cents"),
        ("leg_prices.0.base_cents", "180", "base_cents"),
        ("leg_prices.0.base_cents", True, "base_cents"),
        ("leg_prices.0.base_cents", -1, "base_cents"),
        ("leg_prices.0.per_km_millicents", 9000.0, "per_km_millicents"),
        ("leg_prices.0.max_cents", None, "max_cents"),
        ("leg_prices.0.min_cents", 1300, "max_cents is below min_cents"),
        ("fare_journeys.window_min", ..., "window_min"),
        ("fare_journeys.window_min", "60", "window_min"),
        ("fare_journeys.modes", ..., "modes"),
        ("fare_journeys.modes", ["bus", "zeppelin"], "zeppelin"),
        ("fare_journeys", "60", "fare_journeys"),
        ("products", None, "products"),
        ("products.0.period", "month", "period 'month' is not known: one of fare_day"),
        ("products.0.period", ..., "period"),
        ("products.0.price_cents", ..., "price_cents"),
        ("products.0.price_cents", 4.2, "price_cents"),
        ("products.0.category_cents", {"youth": 1}, "'youth' is not in the tariff"),
        ("products.0.is_subscription", "yes", "is_subscription"),
        ("leg_prices.0.when.time_band", "peak", "'peak' is not in the tariff"),
        ("leg_prices.0.when.category", "youth", "'youth' is not in the tariff"),
        ("leg_prices.0.by_zones", {"A": {"B": 1}}, "either base_cents or by_zones"),
        ("leg_prices.0.tiers_km", [[0, None, 1]], "either per_km_millicents or tiers_km"),
        ("leg_prices.1.tiers_km", [[0, 5, 1]], "the last, and no other"),
        ("leg_prices.1.tiers_km", [[0, 5, 1], [6, None, 1]], "goes on from the one before"),
        ("leg_prices.1.tiers_km", [[0, None, 1], [5, None, 1]], "the last, and no other"),
        ("valid_from", "soon", "valid_from"),
        ("holidays", ["2027-13-01"], "holidays"),
        ("categories", [{"id": "rich", "permille": 1001}], "nobody pays more"),
        ("time_bands", [{"id": "x", "days": "someday", "from": "07:00", "to": "09:00"}], "someday"),
        ("time_bands", [{"id": "x", "days": "sat", "from": "07:00", "to": "07:00"}], "x"),
        (
            "fare_journeys",
            [{"id": "a", "window_min": 60, "pattern": ["bus"], "price_cents": 1}],
            "pattern",
        ),
        ("fare_journeys.price_cents", 100, "only with a pattern"),
    ],
)
def test_error_in_a_tariff_names_the_field(path: str, value: Any, named: str) -> None:
    with pytest.raises(InvalidTariff) as caught:
        parse_tariff(changed(path, value))
    # What Python says of itself names no field of the tariff.
    assert named in str(caught.value)


def test_unknown_mode_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidTariff, match=r"unknown mode 'metro': one of bus, tram, coach"):
        parse_tariff(changed("leg_prices.0.when.mode", "metro"))


@pytest.mark.parametrize("content", [None, [], "tariff", 3])
def test_content_that_is_no_mapping_is_refused(content: Any) -> None:
    with pytest.raises(InvalidTariff, match="a tariff is a mapping"):
        parse_tariff(content)


@pytest.mark.parametrize("raw", [b"tariff: [", b"\xff\xfe", b"a: *b"])
def test_file_that_is_no_yaml_is_refused_by_its_name(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "tariff.yaml"
    path.write_bytes(raw)
    with pytest.raises(InvalidTariff, match=r"cannot read tariff .*tariff\.yaml"):
        read_tariff(path)


def test_absent_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidTariff, match=r"none\.yaml"):
        read_tariff(tmp_path / "none.yaml")


def test_cutover_written_without_quotes_is_read_or_named(tmp_path: Path) -> None:
    # YAML 1.1 reads an unquoted 10:00 as 600 (base sixty): either is fine, a riddle is not.
    path = tmp_path / "tariff.yaml"
    path.write_text(TEXT.replace('"04:00"', "10:00"))
    try:
        assert read_tariff(path).cutover_s == 36_000
    except InvalidTariff as error:
        assert "fare_day_cutover" in str(error)  # noqa: PT017 — both outcomes are allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1]\nb: *x", "aliases"),
        ("tariff: a\ntariff: b", "stands twice"),
        ("[" * 4_000, "cannot read tariff"),
    ],
)
def test_a_file_that_is_no_plain_tariff_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidTariff, match=said):
        read_tariff_text(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"valid_from": "9999-12-31"}, "years"),
        ({"tariff": "a\0b"}, "not a name"),
        ({"tariff": "a\ud800"}, "JSON|not a name"),
        (
            {"leg_prices": [{"id": "x", "when": {"mode": "bus"}, "base_cents": 10**10}]},
            "10000000000",
        ),
        ({"leg_prices": [{"id": "x", "when": {"mode": "bus", "operator": []}}]}, "empty"),
    ],
)
def test_a_value_that_nothing_can_do_with_is_refused(change: dict[str, Any], said: str) -> None:
    content = {"tariff": "t", "currency": "EUR", "timezone": "Europe/Paris", "leg_prices": []}
    with pytest.raises(InvalidTariff, match=said):
        parse_tariff(content | change)


def test_zones_may_be_numbers_beside_names() -> None:
    rule = {"id": "z", "when": {"mode": "bus"}, "by_zones": {1: {1: 100, "A": 200}}}
    content = {"tariff": "t", "currency": "EUR", "timezone": "Europe/Paris", "leg_prices": [rule]}
    assert parse_tariff(content).leg_prices[0].by_zones == {("1", "1"): 100, ("1", "A"): 200}
