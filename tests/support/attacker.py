"""
Somebody who wants to know where drivers live, and has no more than anybody can have.

He asks the planner as often as he likes, has the same streets and the same drives, and knows how
ends are moved. Pick-up times at several meeting points differ as the drives from one start do:
this start he finds, and from there he guesses at the home. A dwelling is, for want of addresses,
a junction of streets open to people on foot and to cars.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from starlette.datastructures import QueryParams

from carpool.compile import STREET_LIMIT_M
from carpool.privacy import FARTHEST_M, NEAREST_M
from core.geo import METRES_PER_DEGREE, Coordinate, distance_m
from mobility.api.parameters import Parameters
from mobility.api.plan import answer_plan
from mobility.world import World
from routing.network import Network

WHOLE_DAY_S = 86_400
APART_M = 1_500.0, 8_000.0
"""Between the places of a question: some way of many drivers, and the whole way of few."""
NEARER = 0.001
"""Of starts that fit alike, as long as little is seen, the one nearest to the first pick-up."""
WALK_S = 600
NEAR_M = 2_500.0
"""Around a rough finding: where a start is looked for again."""
ROUGHLY = 8
"""One of so many nodes is looked at first."""
FIRST_SEEN = 16
"""Pick-ups of one driver that are looked at: the soonest lie nearest to where he starts."""
ENOUGH, AROUND_M = 6, 1_500.0
"""Pick-ups that are enough to find a start, so near to it."""
SAMPLE = 600
"""Dwellings of a ring that are weighed against each other."""
DIRECTIONS = 48
BY_A_GUESS_M = 500.0
"""A guess this near to a home would be a find."""

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass
class Driver:
    """What was learnt of one driver: by meeting points, when he is there and who was set down."""

    at_s: dict[int, int] = field(default_factory=dict)
    dropoff: tuple[int, int, int] = (WHOLE_DAY_S, 0, 0)
    """Detour, minus its time, and point of the one that is least off his way and farthest on."""
    asked: set[int] = field(default_factory=set)
    """Points from which a ride with him was asked for, whether he stops there or not."""


class Plane:
    """Street nodes in metres, and which of them are dwellings or open to cars."""

    def __init__(self, network: Network) -> None:
        streets = network.streets
        self._per_lon = METRES_PER_DEGREE * math.cos(math.radians(streets.node_lat.mean()))
        self._lat, self._lon = streets.node_lat, streets.node_lon
        self.node = self.metres(streets.node_lat, streets.node_lon)
        on_foot, by_car = network.usable["foot"] > 0, network.usable["car"] > 0
        ends = np.array([streets.edge_from, streets.edge_to])
        self.car_nodes: Int64 = np.unique(ends[:, by_car])
        self.dwellings: Int64 = np.unique(ends[:, on_foot & by_car])
        self.dwelling_m = self.node[self.dwellings]
        self.dwelling_tree = cKDTree(self.dwelling_m)
        self.car_tree = cKDTree(self.node[self.car_nodes])

    def metres(self, lat: Float64 | float, lon: Float64 | float) -> Float64:
        """Shape (n, 2) or (2,): east and north."""
        return np.stack([np.multiply(lon, self._per_lon), np.multiply(lat, METRES_PER_DEGREE)], -1)

    def at(self, place: Coordinate) -> Float64:
        """A place in metres."""
        return self.metres(place.lat, place.lon)

    def dwelling(self, dice: random.Random) -> Coordinate:
        """Some dwelling, all alike."""
        node = int(dice.choice(self.dwellings))
        return Coordinate(float(self._lat[node]), float(self._lon[node]))

    def nearer_count(self, guess_m: Float64, error_m: float) -> int:
        """How many dwellings lie nearer to a guess than its error."""
        return len(self.dwelling_tree.query_ball_point(guess_m, error_m))


class Attacker:
    """Asks the planner of a world, and works out what its answers give away."""

    def __init__(self, world: World, plane: Plane, date: dt.date, seed: int) -> None:
        self._world, self._network, self._plane = world, world.network, plane
        self._date = date.isoformat()
        self._midnight = dt.datetime.combine(date, dt.time(), world.network.zone)
        self._dice = random.Random(seed)
        points = self._network.points
        self._point_m = plane.metres(points.lat, points.lon)
        self._point_tree = cKDTree(self._point_m)
        self.drivers: dict[str, Driver] = {}
        self.question_count = 0

    def look_around(self, count: int) -> None:
        """Ask for a whole day between random meeting points: all who pass by answer."""
        asked = 0
        while asked < count:
            a, b = (self._plane.dwelling(self._dice) for _ in range(2))
            if APART_M[0] < distance_m(a, b) < APART_M[1]:
                self._ask(a, b, self._midnight, WHOLE_DAY_S, wanted=50)
                asked += 1

    def look_closer(self, offer_id: str, count: int) -> None:
        """Ask for rides with one driver from the meeting points around where he seems to start."""
        driver = self.drivers[offer_id]
        start_m, leaves_s = self.start_of(offer_id)
        away_m = np.linalg.norm(self._point_m[list(driver.at_s)] - start_m, axis=1)
        if (away_m < AROUND_M).sum() >= ENOUGH:
            return
        goal = self._place_of(driver.dropoff[-1])
        at = dt.datetime.fromtimestamp(leaves_s - 1_200, dt.UTC)
        _, near = self._point_tree.query(start_m, 6 * count)
        fresh = [p for p in near.tolist() if p not in driver.asked and p not in driver.at_s]
        for point in self._dice.sample(fresh, min(count, len(fresh))):
            driver.asked.add(point)
            self._ask(self._place_of(point), goal, at, 2_400, wanted=3)

    def _place_of(self, point: int) -> Coordinate:
        points = self._network.points
        return Coordinate(float(points.lat[point]), float(points.lon[point]))

    def _ask(
        self, a: Coordinate, b: Coordinate, at: dt.datetime, window_s: int, *, wanted: int
    ) -> None:
        given = {
            "fromPlace": f"{a.lat!r},{a.lon!r}",
            "toPlace": f"{b.lat!r},{b.lon!r}",
            "time": at.isoformat(),
            "searchWindow": str(window_s),
            "numItineraries": str(wanted),
            "transitModes": "RIDE_SHARING",
            "directModes": "",
            "maxTransfers": "0",
            "maxPreTransitTime": str(WALK_S),
            "maxPostTransitTime": str(WALK_S),
            "detailedLegs": "false",
        }
        answer = answer_plan(self._world, Parameters(QueryParams(given)), given, version=6)
        self.question_count += 1
        for leg in itertools.chain.from_iterable(it["legs"] for it in answer["itineraries"]):
            # A search that finds little looks at other days, too.
            if leg["mode"] == "RIDE_SHARING" and leg["mobility"]["date"] == self._date:
                driver = self.drivers.setdefault(leg["mobility"]["offer_id"], Driver())
                pickup, dropoff = (
                    self._network.point_row[leg["mobility"][name]]
                    for name in ("pickup_point_id", "dropoff_point_id")
                )
                there_s, out_s = (
                    int(dt.datetime.fromisoformat(leg[name]).timestamp())
                    for name in ("startTime", "endTime")
                )
                driver.at_s[pickup] = min(there_s, driver.at_s.get(pickup, there_s))
                where = leg["mobility"]["detour_s"], -out_s, dropoff
                driver.dropoff = min(driver.dropoff, where)

    def start_of(self, offer_id: str) -> tuple[Float64, float]:
        """Where a driver starts, and when: the node whose drives fit his pick-ups best."""
        at_s = self.drivers[offer_id].at_s
        seen = sorted(at_s, key=at_s.__getitem__)[:FIRST_SEEN]
        plane = self._plane
        rough_m, _ = self._fit(plane.car_nodes[::ROUGHLY], seen, at_s)
        around = plane.car_tree.query_ball_point(rough_m, NEAR_M)
        return self._fit(plane.car_nodes[around], seen, at_s)

    def _fit(self, nodes: Int64, seen: list[int], at_s: dict[int, int]) -> tuple[Float64, float]:
        sources, cars = nodes.astype(np.int32), self._network.points.car_node[seen].tolist()
        drives_s = np.array([self._network.drive.to_place(sources, [(node, 0)]) for node in cars])
        leaves_s = np.array([at_s[point] for point in seen])[:, None] - drives_s
        middle_s = np.median(leaves_s, axis=0)
        misfit_s = np.abs(leaves_s - middle_s).sum(axis=0)
        best = int((misfit_s + NEARER * drives_s[0]).argmin())
        return self._plane.node[nodes[best]], float(middle_s[best])

    def guesses(self, offer_id: str) -> Iterator[tuple[str, Float64]]:
        """
        Name and place of each guess at a driver's home.

        Where ends are moved by the same chances all round, every dwelling of the ring is as likely
        as the next, but for those on a shore or at the edge of town: they were moved to fewer
        places, each the likelier.
        """
        start_m, _ = self.start_of(offer_id)
        yield "start", start_m
        plane = self._plane
        inner, outer = (
            set(plane.dwelling_tree.query_ball_point(start_m, radius))
            for radius in (NEAREST_M, FARTHEST_M)
        )
        ring = plane.dwelling_m[sorted(outer - inner)]
        if not len(ring):
            return
        yield "mean", ring.mean(axis=0)
        stride = -(-len(ring) // SAMPLE)
        ring = ring[::stride]
        chance = self._chances(ring)
        apart_m = np.linalg.norm(ring[:, None] - ring[None], axis=-1)
        yield "middle", ring[(apart_m * chance).sum(axis=1).argmin()]
        yield "likeliest", ring[((apart_m < BY_A_GUESS_M) * chance).sum(axis=1).argmax()]
        seen = self._point_m[list(self.drivers[offer_id].at_s)]
        yield "unserved", ring[cKDTree(seen).query(ring)[0].argmax()]
        yield "served", ring[cKDTree(seen).query(ring)[0].argmin()]

    def _chances(self, homes_m: Float64) -> Float64:
        """How likely each home's end is moved to just one place: one by its places at streets."""
        angle = np.arange(DIRECTIONS) * math.pi * (3 - math.sqrt(5))  # a sunflower's seeds
        share = (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
        away_m = np.sqrt(NEAREST_M**2 + share * (FARTHEST_M**2 - NEAREST_M**2))
        moves = np.stack([away_m * np.cos(angle), away_m * np.sin(angle)], -1)
        places = homes_m[:, None] + moves
        near_m, _ = self._plane.car_tree.query(places, distance_upper_bound=STREET_LIMIT_M)
        chances: Float64 = 1 / np.maximum(np.isfinite(near_m).sum(axis=1), 1)
        return chances
