"""Commuters who offer seats: where they start, where they go, on which days, at what time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.csgraph import dijkstra

from mobility.demo import names
from mobility.demo.network import CAR_KINDS, WALK_ONLY_KINDS, Router, StreetNetwork
from mobility.demo.poi import BUSINESS, CAMPUS, HOSPITAL, HUB, LYCEE, MALL, STATION, Poi
from mobility.demo.service_days import FIRST_DATE, LAST_DATE

if TYPE_CHECKING:
    from mobility.demo.geometry import Projection
    from mobility.demo.landscape import Landscape
    from mobility.demo.regional import RegionalStop
    from mobility.demo.streets import Farm, Streets

MORNING_COUNT, EVENING_COUNT, OTHER_COUNT = 88, 44, 18
SHORTEST_OFFER_M = 4_000.0
ISOLATED_M = 2_500.0
NEIGHBOUR_WALK_M = 600.0
NEAR_STOP_COUNT = 5
PASSER_COUNT = 3  # offers past the showcase farm, outside the showcase's half hour
PASSING_M = 800.0
MINUTE_S = 60
WEEK = ("mon", "tue", "wed", "thu", "fri")


@dataclass(frozen=True, slots=True)
class Spot:
    """A named node of the street network."""

    name: str
    node: int


@dataclass(frozen=True, slots=True)
class DemoOffer:
    """A driver's usual drive, before it is written."""

    driver: str
    start: Spot
    end: Spot
    weekdays: tuple[str, ...]
    depart_from_s: int
    depart_to_s: int
    seats: int
    detour_budget_s: int


@dataclass(frozen=True, slots=True)
class Showcase:
    """A farm without a bus, its neighbour who drives to a stop, and the departure it meets."""

    farm: Farm
    stop: RegionalStop
    offer: DemoOffer
    walk_m: float
    drive_s: float
    departure_s: int


def hhmm(second: int) -> str:
    """Seconds of the day as hours and minutes."""
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"


def find_showcase(
    streets: Streets, router: Router, stops: list[RegionalStop], rng: np.random.Generator
) -> Showcase:
    """
    Find the farm, the neighbour and the stop whose times fit best.

    The neighbour leaves in a window that ends 07:20 to 07:30 and arrives 10 to 20 minutes
    before the departure; trains come first, then the drive closest to nine minutes.
    """
    network = streets.network
    walk = Router.build(network, kinds=CAR_KINDS | WALK_ONLY_KINDS, directed=False)
    served = np.array([s.point for s in stops])
    best: tuple[float, Showcase] | None = None
    for farm in streets.farms:
        if np.abs(served - farm.point).min() < ISOLATED_M or abs(farm.point) < 7_000:
            continue
        neighbour = _neighbour(streets, walk, farm)
        if neighbour is None:
            continue
        spot, walk_m = neighbour
        seconds = router.seconds_from(spot.node)
        for stop in stops:
            end = Spot(f"Parking, {stop.name}", _beside(router, stop.point))
            drive_s = float(seconds[end.node])
            for departure_s in stop.departures_s:
                latest_s = departure_s - round(drive_s) - 10 * MINUTE_S
                latest_s -= latest_s % (5 * MINUTE_S)
                if not (7 * 3600 + 20 * 60 <= latest_s <= 7 * 3600 + 30 * 60):
                    continue
                if not 300 < drive_s < 900 or abs(stop.point) < 7_000:
                    continue
                away = abs(farm.point) - abs(stop.point)  # driving away from the town looks odd
                badness = abs(drive_s - 540) + max(0.0, -away) * 0.05
                badness += 0 if stop.name.startswith("Gare") else 250
                if best is None or badness < best[0]:
                    offer = DemoOffer(
                        f"demo:{rng.choice(names.FIRST_NAMES)}-1",
                        spot,
                        end,
                        WEEK,
                        latest_s - 10 * MINUTE_S,
                        latest_s,
                        3,
                        600,
                    )
                    found = Showcase(farm, stop, offer, walk_m, drive_s, departure_s)
                    best = (badness, found)
    assert best is not None, "110 farms and a dozen stops leave no seed without a showcase"
    return best[1]


def _neighbour(streets: Streets, walk: Router, farm: Farm) -> tuple[Spot, float] | None:
    """Another house, or a node of the lane, a short walk away."""
    pace = 3.6 / 25.0  # the walking graph has one speed
    reached = dijkstra(walk.graph, indices=farm.node, limit=NEIGHBOUR_WALK_M * pace)
    walk_m = np.asarray(reached) / pace
    for other in streets.farms:
        if other is not farm and 120 < walk_m[other.node] < NEIGHBOUR_WALK_M * 0.95:
            return Spot(other.name, other.node), float(walk_m[other.node])
    near = np.flatnonzero(np.isfinite(walk_m) & (walk_m > 260) & (walk_m < 540))
    if not len(near):
        return None
    node = int(near[np.abs(walk_m[near] - 380).argmin()])
    return Spot(f"Maison voisine {names.of_place(farm.name)}", node), float(walk_m[node])


def _beside(router: Router, point: complex) -> int:
    """A street node a short walk from a stop."""
    gap_m = np.abs(router.points - point)
    rows = np.flatnonzero(router.core & (gap_m > 40) & (gap_m < 220))
    return int(rows[np.abs(gap_m[rows] - 90).argmin()]) if len(rows) else router.nearest(point)


def build_offers(
    streets: Streets,
    land: Landscape,
    router: Router,
    *,
    pois: list[Poi],
    stops: list[RegionalStop],
    showcase: Showcase,
    rng: np.random.Generator,
) -> list[DemoOffer]:
    """The showcase's offer and its way home, then the other commuters of the region."""
    homes = _homes(streets, land, router, rng)
    town = [
        Spot(p.name, p.node)
        for key in (STATION, HUB, BUSINESS, BUSINESS, HOSPITAL, HOSPITAL, LYCEE, CAMPUS, MALL)
        for p in pois
        if p.key == key
    ]
    outside = [Spot(f"Parking, {s.name}", _beside(router, s.point)) for s in stops]
    first = showcase.offer
    home = replace(
        first,
        start=first.end,
        end=first.start,
        depart_from_s=17 * 3600 + 40 * 60,
        depart_to_s=18 * 3600 + 5 * 60,
    )
    out = [first, home, *_passers(router, homes, pois, showcase)]
    plan = [(MORNING_COUNT, 6.25, 8.9), (EVENING_COUNT, 16.0, 19.3), (OTHER_COUNT, 9.0, 22.0)]
    for part, (count, from_h, to_h) in enumerate(plan):
        for _ in range(count - (1 + PASSER_COUNT, 1, 0)[part]):
            for _try in range(50):
                start = homes[int(rng.integers(len(homes)))]
                near = _nearest_first(router, outside, start)
                pool = near[:NEAR_STOP_COUNT] if rng.random() < 0.27 else town
                end = pool[int(rng.integers(len(pool)))]
                if abs(router.points[start.node] - router.points[end.node]) > SHORTEST_OFFER_M:
                    break
            if part == 1 or (part == 2 and rng.random() < 0.5):
                start, end = end, start
            out.append(_offer(len(out) + 1, start, end, part, from_h=from_h, to_h=to_h, rng=rng))
    return out


def _passers(
    router: Router, homes: list[Spot], pois: list[Poi], showcase: Showcase
) -> list[DemoOffer]:
    """
    Drivers into the town who pass the showcase farm, earlier and later than its neighbour.

    Where no home lies behind the farm, a house on its own lane stands in.
    """
    at = {p.key: Spot(p.name, p.node) for p in pois if p.key}
    here = showcase.farm.point
    taken = {showcase.farm.node, showcase.offer.start.node}
    gap_m = np.abs(router.points - here)
    lane = np.flatnonzero(router.core & (gap_m > 250) & (gap_m < PASSING_M))
    lane = lane[np.argsort(-gap_m[lane], kind="stable")]
    label = f"Les Abords {names.of_place(showcase.farm.name)}"
    plan = ((BUSINESS, 6, 30), (CAMPUS, 7, 50), (HUB, 8, 10))
    out: list[DemoOffer] = []
    for number, (key, hour, minute) in enumerate(plan[:PASSER_COUNT], start=3):
        house = Spot(label, int(lane[min(number - 3, len(lane) - 1)]))
        free = [h for h in dict.fromkeys(homes) if h.node not in taken]
        start_s = hour * 3600 + minute * MINUTE_S
        name = names.FIRST_NAMES[number]
        drafts = [
            DemoOffer(f"demo:{name}-{number}", h, at[key], WEEK, start_s, start_s + 900, 3, 720)
            for h in (house, *free)
        ]
        passing = [
            draft
            for draft, path in zip(drafts, offer_paths(router, drafts), strict=True)
            if np.abs(router.points[path] - here).min() < PASSING_M
        ]
        # The house itself always passes: it is the last choice.
        out.append(passing[1] if len(passing) > 1 else passing[0])
        taken.add(out[-1].start.node)
    return out


def _nearest_first(router: Router, spots: list[Spot], start: Spot) -> list[Spot]:
    here = complex(router.points[start.node])
    return sorted(spots, key=lambda s: abs(complex(router.points[s.node]) - here))


def _offer(
    number: int,
    start: Spot,
    end: Spot,
    part: int,
    *,
    from_h: float,
    to_h: float,
    rng: np.random.Generator,
) -> DemoOffer:
    if part == 2 and rng.random() < 0.6:
        days: tuple[str, ...] = ("sat",) if rng.random() < 0.6 else ("sat", "sun")
    elif rng.random() < 0.62:
        days = WEEK
    else:
        size = int(rng.integers(2, 5))
        chosen = set(rng.permutation(len(WEEK))[:size].tolist())
        days = tuple(d for i, d in enumerate(WEEK) if i in chosen)
    # Most leave towards the middle of the peak.
    share = float(rng.beta(2.2, 2.2)) if part < 2 else float(rng.random())
    start_s = int((from_h + (to_h - from_h) * share) * 12) * 300
    width_s = int(rng.choice([10, 15, 15, 20])) * MINUTE_S
    driver = f"demo:{names.FIRST_NAMES[int(rng.integers(len(names.FIRST_NAMES)))]}-{number}"
    seats = int(rng.choice([1, 2, 3, 4], p=[0.15, 0.3, 0.4, 0.15]))
    budget_s = int(rng.choice([300, 420, 480, 600, 720, 900]))
    return DemoOffer(driver, start, end, days, start_s, start_s + width_s, seats, budget_s)


def _homes(
    streets: Streets, land: Landscape, router: Router, rng: np.random.Generator
) -> list[Spot]:
    """Where drivers live: farms, hamlets and village streets, in about equal parts."""
    out = [Spot(f.name, f.node) for f in streets.farms if router.core[f.node]]
    for name, point in streets.hamlets.items():
        out += [Spot(name, router.nearest(point))] * 2
    villages = {s.name for s in land.settlements[1:]}
    lived = [
        w for w in streets.network.ways if w.zone in villages and w.kind == "residential" and w.name
    ]
    for i in rng.permutation(len(lived))[:110]:
        way = lived[int(i)]
        node = way.nodes[len(way.nodes) // 2]
        if router.core[node]:
            out.append(Spot(f"{way.name}, {way.zone}", node))
    return out


def offer_paths(router: Router, offers: list[DemoOffer]) -> list[list[int]]:
    """The nodes each driver passes without a detour, one list per offer."""
    ends = sorted({o.end.node for o in offers})
    # On the reversed graph, one search per end gives the paths from everywhere to it.
    _, after = dijkstra(router.graph.T.tocsr(), indices=ends, return_predecessors=True)
    row_of = {node: row for row, node in enumerate(ends)}
    out = []
    for offer in offers:
        path = [offer.start.node]
        while path[-1] != offer.end.node:
            path.append(int(after[row_of[offer.end.node], path[-1]]))
            assert path[-1] >= 0, "both ends lie in the strongly connected core"
        out.append(path)
    return out


def place_json(network: StreetNetwork, spot: Spot, projection: Projection) -> dict[str, object]:
    """A spot as the JSON files write it."""
    lat, lon = projection.lat_lon(network.points[spot.node])
    return {"lat": round(lat, 6), "lon": round(lon, 6), "name": spot.name}


def offers_json(
    network: StreetNetwork, offers: list[DemoOffer], projection: Projection
) -> list[dict[str, object]]:
    """All offers as `offers.json` holds them."""
    return [
        {
            "driver": o.driver,
            "start": place_json(network, o.start, projection),
            "end": place_json(network, o.end, projection),
            "vias": [],
            "weekdays": list(o.weekdays),
            "valid_from": FIRST_DATE.isoformat(),
            "valid_to": LAST_DATE.isoformat(),
            "depart_from": hhmm(o.depart_from_s),
            "depart_to": hhmm(o.depart_to_s),
            "seats": o.seats,
            "detour_budget_s": o.detour_budget_s,
        }
        for o in offers
    ]
