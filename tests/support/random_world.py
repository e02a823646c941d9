"""A small world in two forms: as plain values for an oracle, and as the arrays of a search."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from gtfs_data.blocks import join_trips
from gtfs_data.checks import Findings
from gtfs_data.days import day_number
from gtfs_data.patterns import FeedTrips
from gtfs_data.rolling import mirrored, roll_days
from gtfs_data.store import frozen
from routing.bounds import build_bounds, coarse_bounds
from routing.doors import Door
from routing.network import Network
from routing.raptor.body_table import Body, flexible_trips
from routing.raptor.door_ends import DoorEnd, Doors
from routing.raptor.search import Search, rides_of
from routing.raptor.unroll import Reach
from routing.spi import RideWindows
from routing.street.kernels import Walks
from routing.terrain import WHOLE, Terrain
from tests.oracles.block_oracle import BlockTrip, Pairs, chains, joined, links
from tests.oracles.raptor_oracle import PlainRide, PlainTrip, PlainWorld

DATE = dt.date(2026, 3, 10)
DAY_S = 86_400
OPENING_S = 8 * 3600
"""Everything happens in the hour or two after eight, far from the day's ends."""
CARPOOL_CHANGE_S = 300
TRANSFER_AT_STOP = 2


@dataclass(frozen=True)
class RandomTrip:
    """A trip of a pattern; a late one belongs to yesterday's service and passes midnight."""

    plain: PlainTrip
    pattern: int
    late: bool
    block: str = ""


@dataclass(frozen=True)
class RandomWorld:
    """One world in two forms; see `plain` and `search`."""

    stop_count: int
    point_count: int
    patterns: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    """Stops and flags of each pattern."""
    trips: tuple[RandomTrip, ...]
    linked: Pairs
    """Trips between which transfers.txt lets riders stay aboard."""
    parted: Pairs
    """Trips between which it does not."""
    walks: dict[tuple[int, int], int]
    """From stop to stop."""
    point_walks: dict[tuple[int, int], int]
    """Between stops and meeting points."""
    bodies: tuple[PlainRide, ...]
    """Compiled offers; their windows stand in `windows`."""
    windows: tuple[tuple[int, int, int], ...]
    """Body, earliest, latest."""
    drive_s: dict[tuple[int, int], int]
    access: dict[int, int]
    egress: dict[int, int]
    change_s: int
    stop_change_s: dict[int, int]
    """Stops at which transfers.txt asks for more time."""
    pickup_stop_s: int
    direct_s: int | None
    most: int
    seats: int
    leave_s: int
    arrive_s: int
    doors: bool = False
    """
    Whether the last two points are where the rider lives and where he wants to go: in the access
    and in the egress alone, and none to which anybody walks. A search takes them for doors.
    """

    @property
    def rides(self) -> tuple[PlainRide, ...]:
        """Dated runs, in the order in which the search numbers them."""
        return tuple(
            PlainRide(
                self.bodies[b].candidates, self.bodies[b].segment_s, self.bodies[b].budget_s,
                first_s, last_s, self.bodies[b].seat_count,
            )
            for b, first_s, last_s in sorted(self.windows, key=lambda w: (w[0], w[1]))
        )  # fmt: skip

    @property
    def metres(self) -> list[int]:
        """Metres along each pattern, by its stops one after the other."""
        return [
            (900 + 100 * (number % 3)) * position
            for number, (stops, _) in enumerate(self.patterns)
            for position in range(len(stops))
        ]

    @property
    def change_at_s(self) -> list[int]:
        """Time for a change by node."""
        stops = [max(self.change_s, self.stop_change_s.get(i, 0)) for i in range(self.stop_count)]
        return stops + [CARPOOL_CHANGE_S] * self.point_count

    @property
    def links(self) -> set[tuple[int, int]]:
        """Trips between which riders may stay aboard."""
        trips = [BlockTrip(trip.plain, trip.block, int(trip.late)) for trip in self.trips]
        return links(trips, self.linked, self.parted)

    @cached_property
    def chains(self) -> tuple[tuple[int, ...], ...]:
        """Trips that riders may sit through, one after the other."""
        return tuple(chains(self.links))

    def without_blocks(self) -> RandomWorld:
        """The same where nobody stays aboard."""
        trips = tuple(replace(trip, block="") for trip in self.trips)
        return replace(self, trips=trips, linked=frozenset())

    def plain(self) -> PlainWorld:
        """For the oracle."""
        own = [trip.plain for trip in self.trips]
        through = [joined([own[i] for i in chain]) for chain in self.chains]
        return PlainWorld(
            stop_count=self.stop_count,
            node_count=self.stop_count + self.point_count,
            trips=(*own, *through),
            walks={**self.walks, **self.point_walks},
            rides=self.rides,
            drive_s=self.drive_s,
            change_s=self.change_at_s,
            stop_s=self.pickup_stop_s,
        )

    def search(
        self, *, arrive_by: bool = False, seats: int | None = None, searched: int | None = None
    ) -> Search:
        """For the kernels, through the wrapper that the planner uses; see `Body.searched`."""
        if self.doors:
            known = self._without_doors().search(
                arrive_by=arrive_by, seats=seats, searched=searched
            )
            return replace(known, doors=self._doors())
        bodies = [body_of(body, self.stop_count, searched) for body in self.bodies]
        body, first_s, last_s = (
            np.array(sorted(self.windows, key=lambda w: w[:2]), np.int32).reshape(-1, 3).T
        )
        windows = RideWindows(body, body, np.zeros_like(body), first_s, last_s)
        network = self._network()
        return Search(
            network=network,
            terrain=self._terrain(network),
            flexible=flexible_trips(bodies, np.arange(self.point_count, dtype=np.int32) // 2),
            rides=rides_of(windows),
            access=_reach(self.access),
            egress=_reach(self.egress),
            arrive_by=arrive_by,
            max_vehicles=self.most,
            seats=self.seats if seats is None else seats,
            direct_s=self.direct_s,
            carpool_change_s=CARPOOL_CHANGE_S,
            pickup_stop_s=self.pickup_stop_s,
        )

    def _without_doors(self) -> RandomWorld:
        """The same without the two last points."""
        first = self.stop_count + self.point_count - 2
        return replace(
            self,
            point_count=self.point_count - 2,
            bodies=tuple(
                replace(body, candidates=tuple(c for c in body.candidates if c.node < first))
                for body in self.bodies
            ),
            drive_s={pair: s for pair, s in self.drive_s.items() if max(pair) < first},
            access={node: s for node, s in self.access.items() if node < first},
            egress={node: s for node, s in self.egress.items() if node < first},
            doors=False,
        )

    def _doors(self) -> Doors:
        """The two last points as doors."""
        first = self.stop_count + self.point_count - 2
        points = range(self.stop_count, first)
        at = cast("Any", None)
        ends: list[DoorEnd | None] = []
        for node, walk_s in ((first, self.access[first]), (first + 1, self.egress[first + 1])):
            from_s, to_s = (
                frozen(np.array([self.drive_s[pair] for pair in pairs], np.int32))
                for pairs in ([(node, p) for p in points], [(p, node) for p in points])
            )
            visits = [
                (row, c.segment, body.from_start_s(c), body.to_end_s(c))
                for row, body in enumerate(self.bodies)
                for c in body.candidates
                if c.node == node
            ]
            table = np.array(visits, np.int32).reshape(-1, 4)
            door = Door(at, (), (), from_s, to_s, 0)
            own = frozen(table[:, 0].copy()), frozen(table[:, 1:].copy())
            ends.append(DoorEnd(door, at, walk_s, *own) if visits else None)
        return Doors(ends[0], ends[1], self.drive_s[first, first + 1])

    def _network(self) -> Network:
        """Stand in for a network with what a search reads of it."""
        node_count = self.stop_count + self.point_count
        both = {**self.walks, **self.point_walks}
        drive = np.zeros((self.point_count, self.point_count), np.uint16)
        for (a, b), seconds in self.drive_s.items():
            drive[a - self.stop_count, b - self.stop_count] = seconds
        table = self._timetable()
        ground = SimpleNamespace(
            walks=_csr(self.walks, node_count),
            walks_back=_csr(_turned(self.walks), node_count),
            point_walks=_csr(both, node_count),
            point_walks_back=_csr(_turned(both), node_count),
            drive_s=frozen(drive),
            drive_back_s=frozen(np.ascontiguousarray(drive.T)),
        )
        bounds = build_bounds(cast("Any", table), ground.walks, ground.walks_back)
        line = np.arange(self.point_count, dtype=float)
        network = SimpleNamespace(
            ground=ground,
            timetable=table,
            pattern_metres=frozen(np.array(self.metres, np.int32)),
            bounds=bounds,
            coarse=coarse_bounds(
                bounds,
                table.stop_lat,
                table.stop_lon,
                0 * line,
                line,
                ground.drive_s,
                ground.point_walks,
            ),
            stop_count=self.stop_count,
            node_count=node_count,
        )
        return cast("Network", network)

    def _terrain(self, network: Network) -> Terrain:
        day = roll_days(network.timetable, DATE, ZoneInfo("UTC"))
        ground = network.ground
        return Terrain(
            day=day,
            day_back=mirrored(day),
            walks=ground.walks,
            walks_back=ground.walks_back,
            point_walks=ground.point_walks,
            point_walks_back=ground.point_walks_back,
            change_s=frozen(np.array(self.change_at_s, np.int32)),
            cell=network.bounds.cell,
            onward_256=WHOLE,
        )

    def _timetable(self) -> SimpleNamespace:
        """Columns of a `Timetable` that rolling a day out and a search read."""
        sizes = [len(stops) for stops, _ in self.patterns]
        lengths = [len(trip.plain.stops) for trip in self.trips]
        slower = list(self.stop_change_s)

        def events(name: str) -> np.ndarray[Any, Any]:
            times = [
                at_s + DAY_S * trip.late
                for trip in self.trips
                for at_s in getattr(trip.plain, name)
            ]
            return np.array(times, np.int32)

        runs = np.array([[0, 1, 0], [1, 0, 0]], np.uint8)
        columns = {
            "trip_first_event": np.r_[0, np.cumsum(lengths)].astype(np.int32),
            "event_arrival_s": events("arrive_s"),
            "event_departure_s": events("depart_s"),
            "pattern_first_stop": np.r_[0, np.cumsum(sizes)].astype(np.int32),
            "pattern_stop": np.array([s for stops, _ in self.patterns for s in stops], np.int32),
            "pattern_flag": np.array([f for _, flags in self.patterns for f in flags], np.uint8),
            "trip_service": np.array([int(trip.late) for trip in self.trips], np.int32),
        }
        throughs, runs = self._throughs(columns, runs)
        return SimpleNamespace(
            **columns,
            **throughs,
            stop_count=self.stop_count,
            stop_lat=np.zeros(self.stop_count),
            stop_lon=np.arange(self.stop_count, dtype=float),
            feed_zone=["UTC"],
            route_feed=np.zeros(len(self.patterns), np.int32),
            service_first_day=np.array([day_number(DATE) - 1], np.int32),
            service_runs=runs,
            trip_pattern=np.array([trip.pattern for trip in self.trips], np.int32),
            pattern_route=np.arange(len(self.patterns), dtype=np.int32),
            transfer_from=np.array(slower, np.int32),
            transfer_to=np.array(slower, np.int32),
            transfer_type=np.full(len(slower), TRANSFER_AT_STOP, np.int32),
            transfer_min_s=np.array(list(self.stop_change_s.values()), np.int32),
        )

    def _throughs(self, columns: dict[str, Any], runs: Any) -> Any:
        """Through trips, joined by the code that reads feeds."""
        ids = [f"T{i}" for i in range(len(self.trips))]
        per_pattern = np.bincount([t.pattern for t in self.trips], minlength=len(self.patterns))
        trips = FeedTrips(
            trips=pd.DataFrame(
                {
                    "trip_id": ids,
                    "route_id": [f"R{trip.pattern}" for trip in self.trips],
                    "block_id": [trip.block for trip in self.trips],
                    "row": range(len(ids)),
                }
            ),
            trip_row=np.arange(len(ids), dtype=np.int32),
            trip_id=ids,
            headway_s=np.zeros(len(ids), np.int32),
            first_event=columns["trip_first_event"],
            arrival_s=columns["event_arrival_s"],
            departure_s=columns["event_departure_s"],
            pattern_first_trip=np.r_[0, np.cumsum(per_pattern)].astype(np.int32),
            **{name: columns[name] for name in columns if name.startswith("pattern_")},
        )
        tables = {
            "transfers": pd.DataFrame(
                [
                    {"transfer_type": kind, "from_trip_id": ids[a], "to_trip_id": ids[b]}
                    for kind, pairs in ((4, self.linked), (5, self.parted))
                    for a, b in sorted(pairs)
                ],
                columns=["transfer_type", "from_trip_id", "to_trip_id"],
            ),
            "stops": pd.DataFrame(
                {
                    "parent_station": [""] * self.stop_count,
                    "stop_lat": np.zeros(self.stop_count),
                    "stop_lon": np.arange(self.stop_count, dtype=float),
                }
            ),
        }
        feed = SimpleNamespace(table=tables.__getitem__)
        return join_trips(cast("Any", feed), trips, columns["trip_service"], runs, Findings())


def _reach(reached: dict[int, int]) -> Reach:
    return Reach(np.array(list(reached), np.int32), np.array(list(reached.values()), np.int32))


def _turned(walks: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    return {(b, a): seconds for (a, b), seconds in walks.items()}


def _csr(walks: dict[tuple[int, int], int], node_count: int) -> Walks:
    rows = sorted((a, seconds, b) for (a, b), seconds in walks.items())
    counts = np.bincount(np.array([a for a, _, _ in rows], np.int64), minlength=node_count)
    return Walks(
        frozen(np.r_[0, np.cumsum(counts)].astype(np.int32)),
        frozen(np.array([b for _, _, b in rows], np.int32)),
        frozen(np.array([s for _, s, _ in rows], np.int32)),
    )


def body_of(ride: PlainRide, stop_count: int, searched: int | None) -> Body:
    def column(values: list[int]) -> np.ndarray[Any, Any]:
        return np.array(values, np.uint16)

    return Body(
        point=column([c.node - stop_count for c in ride.candidates]),
        from_start_s=column([ride.from_start_s(c) for c in ride.candidates]),
        to_end_s=column([ride.to_end_s(c) for c in ride.candidates]),
        segment=column([c.segment for c in ride.candidates]),
        solo_s=sum(ride.segment_s),
        budget_s=ride.budget_s,
        seat_count=ride.seat_count,
        via_nodes=(0,) * (len(ride.segment_s) - 1),
        searched_count=None if searched is None else min(searched, len(ride.candidates)),
    )
