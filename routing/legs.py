"""Raw legs (rows and seconds) → legs that a rider reads (places, instants, geometry)."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

import numpy as np

from core.geo import Coordinate
from core.modes import Mode, mode_of_route_type
from core.time import to_instant
from gtfs_data.throughs import Part, parts_of_ride
from routing.access import TAKEN, UNSAID, access_of_vehicle, access_of_walk
from routing.doors import draw_drive
from routing.ends import PROFILE_OF_MODE, End, pace_factor, tie_end
from routing.itinerary import (
    Access,
    Call,
    Itinerary,
    Leg,
    LegPlace,
    RideLeg,
    Shape,
    StreetLeg,
    TransitLeg,
)
from routing.layers import Visit
from routing.network import Network
from routing.query import Endpoint, PlanQuery
from routing.raptor.door_ends import NO_DOORS, DoorEnd, Doors
from routing.raptor.flexible import (
    FROM_START_S,
    IN_SEGMENT,
    MEETING_POINT,
    TO_END_S,
    FlexibleTrips,
    Rides,
)
from routing.raptor.unroll import RawJourney, RawRide, RawVehicle
from routing.street.access import Snapped, StreetRoute, at_node, route_of_arcs
from routing.street.graph import step_metres
from routing.street.kernels import NO_EDGE
from routing.street.ways import draw_line
from routing.walks import Walking

Columns = tuple[int, int, int, int]
"""Those of a candidate: see `routing.raptor.flexible`."""
SLACK_S = 5
"""Walks are looked up again for their geometry, with this much over their known seconds."""


class LegBuilder:
    """Builds the itineraries of one query."""

    def __init__(
        self,
        network: Network,
        base_s: int,
        query: PlanQuery,
        flexible: FlexibleTrips,
        rides: Rides,
        walking: Walking,
        ends: tuple[Sequence[End], Sequence[End]] = ((), ()),
        doors: Doors = NO_DOORS,
    ) -> None:
        """`ends` are those of the query that are tied to the streets already, see `reach_ends`."""
        self.walking = walking
        self._network = network
        self._base_s = base_s
        self._query = query
        self._flexible = flexible
        self._rides = rides
        self._doors = doors
        # What the itineraries of one answer share: most begin and end alike.
        self._ways: dict[tuple[Mode, int, int], tuple[Shape | None, Access | None]] = {}
        self._ends: dict[tuple[bool, str], Snapped | None] = {
            (leaving, self.profile(end.mode)): end.at
            for leaving, known in zip((True, False), ends, strict=True)
            for end in known
        }
        self._lines: dict[tuple[int, int, int], Shape] = {}
        self._drives: dict[tuple[int, ...], Shape | None] = {}
        self._searched = dt.datetime.fromtimestamp(base_s + 43_200, tz=network.zone).date()

    def itinerary(self, journey: RawJourney, best_for: tuple[str, ...] = ()) -> Itinerary:
        """Legs of one journey; ways of no length are left out."""
        legs: list[Leg] = []
        gaps = journey.visits or ((),) * (len(journey.legs) + 1)
        first, last = journey.legs[0], journey.legs[-1]
        legs += self._gap(
            journey.access_mode, None, first.board_node, journey.start_s, journey.access_s, gaps[0]
        )
        for i, leg in enumerate(journey.legs):
            legs += [self._ride(leg)] if isinstance(leg, RawRide) else self._vehicle(leg)
            if leg is not last:
                end = journey.legs[i + 1].board_node
                legs += self._gap(
                    Mode.WALK, leg.alight_node, end, leg.end_s, journey.walk_s[i], gaps[i + 1]
                )
        legs += self._gap(
            journey.egress_mode, last.alight_node, None, last.end_s, journey.egress_s, gaps[-1]
        )
        return Itinerary(tuple(legs), best_for)

    def _gap(
        self,
        mode: Mode,
        start: int | None,
        end: int | None,
        start_s: int,
        way_s: int,
        visits: tuple[Visit, ...],
    ) -> list[Leg]:
        """Ways between two vehicles, or to the first or from the last, by way of vias."""
        legs: list[Leg] = []
        for visit in visits:
            if visit.walk_s > 0:
                legs.append(self._way(mode, start, visit.stop, start_s, visit.walk_s))
            start, start_s = visit.stop, start_s + visit.walk_s + visit.stay_s
            way_s = visit.onward_s
        if way_s > 0:
            legs.append(self._way(mode, start, end, start_s, way_s))
        return legs

    def walking_by(self, mode: Mode) -> Walking | None:
        """How one walks, or None for other modes."""
        return self.walking if mode is Mode.WALK else None

    def profile(self, mode: Mode) -> str:
        """Streets that a mode uses."""
        return self.walking.profile if mode is Mode.WALK else PROFILE_OF_MODE[mode]

    @staticmethod
    def end_place(end: Endpoint) -> LegPlace:
        """Origin or destination as a leg's end."""
        return LegPlace(end.name, end.coordinate)

    @staticmethod
    def shape(route: StreetRoute) -> Shape:
        """Geometry of a way on the streets."""
        return Shape(route.lat, route.lon, route.metres, route.edge)

    def _at(self, seconds: int) -> dt.datetime:
        return to_instant(self._base_s + seconds)

    def tied_end(self, mode: Mode, *, leaving: bool) -> Snapped | None:
        """The query's origin or destination on the streets of a mode."""
        key = leaving, self.profile(mode)
        if key not in self._ends:
            end = self._query.origin if leaving else self._query.destination
            self._ends[key] = tie_end(self._network, end, self._query.max_matching_m, key[1])[0]
        return self._ends[key]

    def _snapped(self, node: int | None, mode: Mode, *, leaving: bool) -> Snapped | None:
        network = self._network
        if node is None:
            return self.tied_end(mode, leaving=leaving)
        if node < network.stop_count:
            return network.place_at_stop(node)
        if node >= network.node_count:
            return self._door(node).foot
        return network.place_at_point(node - network.stop_count, car=False)

    def _door(self, node: int) -> DoorEnd:
        """The end of the query at which a driver comes to the door."""
        at_origin = node == self._network.node_count
        end = self._doors.origin if at_origin else self._doors.destination
        assert end is not None
        return end

    def _place(self, node: int) -> LegPlace:
        network = self._network
        if node < network.node_count:
            return network.places[node]
        end = self._query.origin if node == network.node_count else self._query.destination
        spot = self._door(node).door.at.coordinate
        return LegPlace(network.street_name(spot) or end.name, spot)

    def _way(
        self, mode: Mode, start: int | None, end: int | None, start_s: int, way_s: int
    ) -> StreetLeg:
        """On foot or by bike between two search nodes; None is the query's own end."""
        key = mode, -1 if start is None else start, -1 if end is None else end
        if key not in self._ways:
            self._ways[key] = self._find_way(mode, start, end, way_s)
        shape, access = self._ways[key]
        query = self._query
        return StreetLeg(
            mode=mode,
            start=self.end_place(query.origin) if start is None else self._place(start),
            end=self.end_place(query.destination) if end is None else self._place(end),
            start_at=self._at(start_s),
            end_at=self._at(start_s + way_s),
            shape=shape,
            access=access,
        )

    def _find_way(
        self, mode: Mode, start: int | None, end: int | None, way_s: int
    ) -> tuple[Shape | None, Access | None]:
        """Geometry of a way, and what it is to a wheelchair, where the query asks for them."""
        query = self._query
        if not (query.detailed or query.wheelchair):
            return None, None
        a = self._snapped(start, mode, leaving=True)
        b = self._snapped(end, mode, leaving=False)
        if a is None or b is None:
            return None, None
        limit_s = int(way_s / pace_factor(self._network, query, mode)) + SLACK_S
        route = self._network.find_route(self.profile(mode), a, b, limit_s, self.walking_by(mode))
        if route is None:
            return None, None
        access = self.access_of(route) if mode is Mode.WALK else None
        return self.shape(route) if query.detailed else None, access

    def access_of(self, route: StreetRoute) -> Access:
        """What a walk is to a wheelchair."""
        network = self._network
        straight = not network.has_streets and bool((route.edge == NO_EDGE).any())
        return access_of_walk(
            network.streets, network.stations, route.used, network.elevator_at, straight=straight
        )

    def _vehicle(self, leg: RawVehicle) -> list[TransitLeg]:
        """One leg for each trip of the vehicle on which the rider is aboard."""
        t = self._network.timetable
        parts = parts_of_ride(t, leg.trip, leg.board_position, leg.alight_position)
        first_event = int(t.trip_first_event[parts[0].trip]) + parts[0].board
        shift_s = leg.start_s - int(t.event_departure_s[first_event])
        date = self._searched + dt.timedelta(days=leg.day)
        return [self._aboard(part, shift_s, date, stays=i > 0) for i, part in enumerate(parts)]

    def _aboard(self, part: Part, shift_s: int, date: dt.date, *, stays: bool) -> TransitLeg:
        t, places = self._network.timetable, self._network.places
        pattern = int(t.trip_pattern[part.trip])
        first, event = int(t.pattern_first_stop[pattern]), int(t.trip_first_event[part.trip])
        own = slice(event + part.board, event + part.leave + 1)
        stops = t.pattern_stop[first + part.board : first + part.leave + 1].tolist()
        shift_s += self._base_s
        arrival_s = (t.event_arrival_s[own] + np.int64(shift_s)).tolist()
        departure_s = (t.event_departure_s[own] + np.int64(shift_s)).tolist()
        route_type = int(t.route_type[t.pattern_route[pattern]])
        boarding = self._network.wheelchair_boarding
        return TransitLeg(
            mode=mode_of_route_type(route_type) or Mode.OTHER,
            start=places[stops[0]],
            end=places[stops[-1]],
            start_at=to_instant(departure_s[0]),
            end_at=to_instant(arrival_s[-1]),
            shape=self._vehicle_shape(pattern, part),
            trip=part.trip,
            service_date=date,
            board_position=part.board,
            alight_position=part.leave,
            calls=tuple(
                map(
                    Call,
                    map(places.__getitem__, stops[1:-1]),
                    arrival_s[1:-1],
                    departure_s[1:-1],
                )
            ),
            stays_aboard=stays,
            headway_s=int(t.trip_headway_s[part.trip]),
            access=access_of_vehicle(
                int(t.trip_wheelchair[part.trip]),
                int(boarding[stops[0]]),
                int(boarding[stops[-1]]),
            ),
        )

    def _vehicle_shape(self, pattern: int, part: Part) -> Shape:
        key = pattern, part.board, part.leave
        if key not in self._lines:
            self._lines[key] = self._line(pattern, part)
        return self._lines[key]

    def _line(self, pattern: int, part: Part) -> Shape:
        t = self._network.timetable
        first = int(t.pattern_first_stop[pattern])
        a, b = first + part.board, first + part.leave
        shape = int(t.pattern_shape[pattern])
        stops = t.pattern_stop[a : b + 1]
        if shape >= 0:
            start = int(t.shape_first_point[shape])
            drawn = start + int(t.pattern_stop_point[a]), start + int(t.pattern_stop_point[b]) + 1
            if drawn[1] - drawn[0] >= 2:
                # The line as drawn, from and to the stops themselves.
                ends = stops[0], stops[-1]
                return Shape(
                    *draw_line(t.shape_lat, t.shape_lon, *drawn, t.stop_lat, t.stop_lon, *ends)
                )
        lat, lon = t.stop_lat[stops], t.stop_lon[stops]
        return Shape(lat, lon, float(step_metres(lat, lon).sum()))

    def _ride(self, leg: RawRide) -> RideLeg:
        bodies, rides = self._flexible.bodies, self._rides
        pickup, dropoff = self._ends_of(leg)
        body = int(rides.body[leg.ride])
        drive_s = self.drive_s(leg)
        total_s = pickup[FROM_START_S] + drive_s + dropoff[TO_END_S]
        return RideLeg(
            mode=Mode.RIDE_SHARING,
            start=self._place(leg.board_node),
            end=self._place(leg.alight_node),
            start_at=self._at(leg.start_s),
            end_at=self._at(leg.end_s),
            shape=self._drive(leg, pickup, dropoff),
            offer=int(rides.offer[leg.ride]),
            date=self._searched + dt.timedelta(days=int(rides.day[leg.ride])),
            detour_s=total_s - int(bodies.solo_s[body]),
            budget_s=int(bodies.budget_s[body]),
            drive_s=drive_s,
            seat_count=int(bodies.seat_count[body]),
            access=TAKEN if self._query.rides_step_free else UNSAID,
        )

    def _ends_of(self, leg: RawRide) -> tuple[Columns, Columns]:
        """Where a ride is boarded and left, in the columns of candidates."""
        candidates = self._flexible.bodies.candidates
        return (
            self._doors.place(candidates, leg.pickup, pickup=True),
            self._doors.place(candidates, leg.dropoff, pickup=False),
        )

    def _drive(self, leg: RawRide, pickup: Columns, dropoff: Columns) -> Shape | None:
        """Geometry of a drive; many drivers take the same points."""
        first, last = pickup[IN_SEGMENT], dropoff[IN_SEGMENT]
        vias = self._flexible.via_nodes[int(self._rides.body[leg.ride])][first:last]
        stops = leg.board_node, *vias, leg.alight_node
        if stops not in self._drives:
            at_doors = max(leg.board_node, leg.alight_node) >= self._network.node_count
            draw = self._drawn_from_doors if at_doors else self._drawn
            self._drives[stops] = draw(leg.board_node, vias, leg.alight_node)
        return self._drives[stops]

    def _drawn(self, start: int, vias: Sequence[int], end: int) -> Shape | None:
        network, stop_count = self._network, self._network.stop_count
        a, b = network.points.car_node[[start - stop_count, end - stop_count]].tolist()
        stops = a, *vias, b
        path = [arc for a, b in itertools.pairwise(stops) for arc in network.drive.path(a, b)]
        route = route_of_arcs(network.streets, network.arcs["car"], path)
        return None if route is None else self.shape(route)

    def _drawn_from_doors(self, start: int, vias: Sequence[int], end: int) -> Shape | None:
        network, streets = self._network, self._network.streets
        a, b = (
            self._door(node).door
            if node >= network.node_count
            else network.place_at_point(node - network.stop_count, car=True)
            for node in (start, end)
        )
        via_lat, via_lon = (column[list(vias)] for column in (streets.node_lat, streets.node_lon))
        own = [
            at_node(Coordinate(lat, lon), node, 0.0)
            for node, lat, lon in zip(vias, via_lat.tolist(), via_lon.tolist(), strict=True)
        ]
        routes = [
            draw_drive(streets, network.arcs["car"], network.drive, *pair)
            for pair in itertools.pairwise((a, *own, b))
        ]
        shapes = [self.shape(route) for route in routes if route is not None]
        if not shapes:
            return None
        lat, lon = (np.concatenate([getattr(s, name) for s in shapes]) for name in ("lat", "lon"))
        return Shape(lat, lon, sum(shape.metres for shape in shapes))

    def drive_s(self, leg: RawRide) -> int:
        """Drive between a ride's pickup and dropoff, through the driver's stops between them."""
        pickup, dropoff = self._ends_of(leg)
        if pickup[IN_SEGMENT] != dropoff[IN_SEGMENT]:
            solo_s = int(self._flexible.bodies.solo_s[self._rides.body[leg.ride]])
            return pickup[TO_END_S] + dropoff[FROM_START_S] - solo_s
        here, there = pickup[MEETING_POINT], dropoff[MEETING_POINT]
        points = len(self._network.points.lat)
        if max(here, there) < points:
            return int(self._network.ground.drive_s[here, there])
        from_s, to_s = self._doors.drives()
        return int(from_s[there] if here >= points else to_s[here])
