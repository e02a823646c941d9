"""Prices → the shapes in which answers tell them: our own, and that of the MOTIS API."""

from __future__ import annotations

from typing import Any

from carpool.offers import Outside
from mobility.mapping.sentences import addition_sentence, charge_label
from payments.bill import Price
from payments.own_price import Addition

Json = dict[str, Any]


def write_price(price: Price) -> Json:
    """Amount, and each charge with its rule and the legs that it is for."""
    return {
        "amount_cents": price.amount_cents,
        "currency": price.currency,
        "unknown_reason": price.unknown_reason,
        "tariff_hash": price.tariff_hash,
        "charges": [
            {
                "legs": list(c.legs),
                "rule": c.rule,
                "kind": c.kind,
                "label_fr": charge_label(c, "fr"),
                "label_en": charge_label(c, "en"),
                "amount_cents": c.amount_cents,
            }
            for c in price.charges
        ],
    }


def write_addition(added: Addition) -> Json:
    """What a journey adds to the bill of whoever asks, and which charges would then be for it."""
    return {
        "amount_cents": added.amount_cents,
        "month": f"{added.month:%Y-%m}",
        "so_far_cents": added.so_far_cents,
        "paid_by_others_cents": added.paid_cents,
        "charges": [
            {
                "legs": list(c.legs),
                "rule": c.rule,
                "kind": c.kind,
                "label_fr": charge_label(c, "fr"),
                "label_en": charge_label(c, "en"),
                "since": None if c.since is None else c.since.isoformat(),
                "amount_cents": c.amount_cents,
            }
            for c in added.charges
        ],
        "why_fr": addition_sentence(added, "fr"),
        "why_en": addition_sentence(added, "en"),
    }


def write_outside(outside: Outside) -> Json:
    """Who another operator is, and what it asks for a seat: its amount is not ours to promise."""
    return {
        "operator": outside.operator,
        "operator_price": {"amount_cents": outside.price_cents, "currency": outside.currency},
    }


def write_fare_transfers(price: Price, legs: list[Json], language: str) -> list[Json]:
    """One fare transfer a charge, its legs pointing to it."""
    written: list[Json] = []
    for charge in price.charges:
        product = {
            "name": charge_label(charge, language),
            "amount": charge.amount_cents / 100,
            "currency": price.currency,
        }
        for nth, leg in enumerate(charge.legs):
            legs[leg]["fareTransferIndex"] = len(written)
            legs[leg]["effectiveFareLegIndex"] = nth
        free = {**product, "amount": 0.0}
        products = [[[product if leg == charge.legs[0] else free]] for leg in charge.legs]
        written.append({"rule": "A_AB", "effectiveFareLegProducts": products})
    return written
