"""Legs of many riders as columns: what kernels read, whatever tariff prices them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from payments.bill import Proof
from payments.rating import in_order
from payments.tariff import FareLeg

Int64 = npt.NDArray[np.int64]
Order = tuple[object, ...]
Row = tuple[int, int, int, int, int]
COLUMNS = 5
Proofs = tuple[Proof, ...]
Kind = tuple[str, str, str, tuple[str, ...]]
"""Mode, operator, route and zones: a rule that is for one leg of a kind is for all of them."""
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rider:
    """One rider's legs, in whatever order, and his categories."""

    legs: Sequence[FareLeg]
    proofs: Proofs = ()


class LegArrays(NamedTuple):
    """Columns of legs, those of a rider one after the other and in order of rating."""

    first: Int64
    """Shape (riders + 1,): first leg of each rider."""
    profile: Int64
    """Shape (riders,): number of what he has proved."""
    board_us: Int64
    """Shape (legs,), as the others: epoch microsecond of boarding."""
    kind: Int64
    metres: Int64
    seconds: Int64
    promised: Int64
    """Cents that were promised before; -1: none."""


@dataclass(frozen=True, slots=True)
class LegColumns:
    """Legs of some riders, and what their numbers stand for."""

    arrays: LegArrays
    kinds: Sequence[Kind]
    profiles: Sequence[Proofs]
    given: Sequence[Sequence[FareLeg]] = ()
    """The legs of each rider in order, where they were made of them."""

    def rider(self, row: int) -> Rider:
        """Of a row; legs that were not given have ids that keep their order."""
        if self.given:
            return Rider(self.given[row], self.profiles[self.arrays.profile[row]])
        own = slice(*self.arrays.first[row : row + 2].tolist())
        rows = zip(*(column[own].tolist() for column in self.arrays[2:]), strict=True)
        return Rider(legs_of_rows(rows, self.kinds), self.profiles[self.arrays.profile[row]])


def legs_of_rows(rows: Iterable[Row], kinds: Sequence[Kind]) -> list[FareLeg]:
    """Legs in order, with ids that keep it."""
    legs = []
    for nth, (at_us, kind, metres, seconds, promised) in enumerate(rows):
        mode, operator, route, zones = kinds[kind]
        legs.append(
            FareLeg(mode, EPOCH + at_us * MICROSECOND, metres, seconds, zones, operator, route,
                    f"{nth:06}", None if promised < 0 else promised)
        )  # fmt: skip
    return legs


def columns_of(riders: Sequence[Rider]) -> LegColumns:
    """Columns of riders' legs."""
    kinds: dict[Kind, int] = {}
    profiles: dict[Proofs, int] = {}
    given = [in_rating_order(rider.legs) for rider in riders]
    rows = [[row_of(leg, kinds) for leg in legs] for legs in given]
    profile = [profiles.setdefault(tuple(rider.proofs), len(profiles)) for rider in riders]
    return LegColumns(as_arrays(rows, profile), list(kinds), list(profiles), given)


def sorted_rows(legs: Iterable[FareLeg], kinds: dict[Kind, int]) -> list[tuple[Order, Row]]:
    """Order of rating and numbers of each leg, sorted; `kinds` gets those that are new."""
    return sorted((in_order(leg), row_of(leg, kinds)) for leg in legs)


def row_of(leg: FareLeg, kinds: dict[Kind, int]) -> Row:
    """Numbers of a leg, in the order of the columns of `LegArrays`."""
    kind = leg.mode, leg.operator, leg.route, leg.zones
    promised = -1 if leg.promised_cents is None else leg.promised_cents
    at_us = (leg.board_at - EPOCH) // MICROSECOND
    return at_us, kinds.setdefault(kind, len(kinds)), leg.metres, leg.seconds, promised


def in_rating_order(legs: Sequence[FareLeg]) -> Sequence[FareLeg]:
    """Legs in order of rating; most come in order already."""
    if all(before.board_at < after.board_at for before, after in itertools.pairwise(legs)):
        return legs
    return sorted(legs, key=in_order)


def leg_of_kind(kind: Kind) -> FareLeg:
    """One leg of a kind."""
    mode, operator, route, zones = kind
    return FareLeg(mode, EPOCH, 0, zones=zones, operator=operator, route=route)


def as_arrays(tables: Sequence[Sequence[Row]], profile: Sequence[int]) -> LegArrays:
    """Columns of the rows of some riders."""
    first = np.cumsum([0, *map(len, tables)], dtype=np.int64)
    rows = np.array(list(itertools.chain.from_iterable(tables)), np.int64)
    return LegArrays(first, np.array(profile, np.int64), *rows.reshape(-1, COLUMNS).T.copy())
