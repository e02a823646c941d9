"""JSON Schema (2020-12) of a tariff file: for editors, and for whoever writes one by program."""

from __future__ import annotations

from typing import Any

from payments.tariff import GUESSES, LIST_PRICE, MODES, Period, ShareKey
from payments.tariff_file import DAYS, PAYER_ID, ROUNDED_LIMIT

Schema = dict[str, Any]
ID: Schema = {"type": ["string", "integer"]}
CENTS: Schema = {"type": "integer", "minimum": 0}
PERMILLE: Schema = {"type": "integer", "minimum": 0, "maximum": LIST_PRICE}
CLOCK: Schema = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"}
DATE: Schema = {"type": "string", "format": "date"}
MODE: Schema = {"enum": list(MODES)}


def _some(each: Schema) -> Schema:
    """One, or a list of them."""
    return {"anyOf": [each, {"type": "array", "items": each}]}


NAMES = _some(ID)
SOME_MODES: Schema = {"anyOf": [{"const": "all"}, _some(MODE)]}


def _table(needed: str, **fields: Schema) -> Schema:
    return {
        "type": "object",
        "properties": fields,
        "required": needed.split(),
        "additionalProperties": False,
    }


def _list(each: Schema) -> Schema:
    return {"type": "array", "items": each}


TIME_BAND = _table(
    "id days from to", id=ID, days=_some({"enum": sorted(DAYS)}),
    **{"from": CLOCK, "to": {"anyOf": [CLOCK, {"const": "24:00"}]}},
)  # fmt: skip
CATEGORY = _table("id permille", id=ID, permille=PERMILLE)
WHEN = _table(
    "mode", mode=SOME_MODES, operator=NAMES, route=NAMES, from_zone=NAMES, to_zone=NAMES,
    time_band=NAMES, category=NAMES,
)  # fmt: skip
TIER: Schema = {
    "description": "From and to in kilometres (null: and on), price of a kilometre",
    "type": "array",
    "prefixItems": [CENTS, {"anyOf": [CENTS, {"type": "null"}]}, CENTS],
    "minItems": 3,
    "maxItems": 3,
}
LEG_PRICE = _table(
    "id when", id=ID, when=WHEN, base_cents=CENTS, per_km_millicents=CENTS,
    tiers_km={"type": "array", "items": TIER, "minItems": 1}, per_min_millicents=CENTS,
    free_min=CENTS, min_cents=CENTS, max_cents=CENTS,
    round_to_cents={"type": "integer", "minimum": 1, "maximum": ROUNDED_LIMIT},
    by_zones={
        "description": "First zone → last zone → cents",
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": CENTS},
    },
    by_zone_count={"type": "array", "items": CENTS, "minItems": 1},
)  # fmt: skip
FARE_JOURNEY_FIELDS: Schema = {
    "window_min": CENTS,
    "modes": SOME_MODES,
    "most_legs": CENTS,
    "other_routes": {"type": "boolean"},
    "pattern": {"type": "array", "items": SOME_MODES, "minItems": 2},
    "price_cents": CENTS,
}
PRODUCT = _table(
    "id period modes price_cents", id=ID, period={"enum": [str(period) for period in Period]},
    modes=SOME_MODES, zones=NAMES, operators=NAMES, price_cents=CENTS,
    category_cents={"type": "object", "additionalProperties": CENTS},
    is_subscription={"type": "boolean"}, most_legs=CENTS,
)  # fmt: skip
PAYER: Schema = _table(
    "id", id={"type": "string", "pattern": f"^{PAYER_ID.pattern}$"}, modes=SOME_MODES,
    only_subscriptions={"type": "boolean"}, share_permille=PERMILLE, per_km_millicents=CENTS,
    max_leg_cents=CENTS, max_month_cents=CENTS, max_year_cents=CENTS, budget_cents=CENTS,
    is_for_everybody={"type": "boolean"},
) | {"oneOf": [{"required": ["share_permille"]}, {"required": ["per_km_millicents"]}]}  # fmt: skip
SHARE: Schema = {
    "anyOf": [
        {"enum": [str(key) for key in ShareKey]},
        {"type": "object", "additionalProperties": CENTS, "minProperties": 1},
    ]
}
TARIFF_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Tariff of Mobility",
    "description": "Amounts are whole cents; prices of kilometres and minutes are thousandths.",
    **_table(
        "tariff currency timezone leg_prices",
        tariff={"type": ["string", "integer"]},
        currency={"type": "string", "pattern": "^[A-Z]{3}$"},
        timezone={"type": "string", "description": "IANA name, such as Europe/Paris"},
        fare_day_cutover=CLOCK,
        valid_from={"anyOf": [DATE, {"type": "null"}]},
        valid_to={"anyOf": [DATE, {"type": "null"}]},
        time_bands=_list(TIME_BAND),
        holidays=_list(DATE),
        categories=_list(CATEGORY),
        leg_prices=_list(LEG_PRICE),
        fare_journeys={
            "anyOf": [
                {"type": "null"},
                _table("window_min", id=ID, **FARE_JOURNEY_FIELDS),
                _list(_table("id window_min", id=ID, **FARE_JOURNEY_FIELDS)),
            ]
        },
        products=_list(PRODUCT),
        payers=_list(PAYER),
        revenue_shares=_table(
            "", otherwise=SHARE, products={"type": "object", "additionalProperties": SHARE}
        ),
        missing_tap_out=_list({"enum": list(GUESSES)}),
    ),
}
"""What the reader takes, but for what only a reader sees: ids that stand twice, and such."""
