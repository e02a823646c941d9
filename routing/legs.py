"""Raw legs (rows and seconds) → legs that a rider reads (places, instants, geometry)."""

from __future__ import annotations

import datetime as dt

import numpy as np

from core.geo import Coordinate
from core.modes import Mode, mode_of_route_type
from core.time import to_instant
from gtfs_data.throughs import Part, parts_of_ride
from routing.access import UNSAID, access_of_vehicle, access_of_walk
from routing.ends import PROFILE_OF_MODE, pace_factor, tie_end
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
from routing.raptor.flexible import FlexibleTrips, Rides
from routing.raptor.unroll import RawJourney, RawRide, RawVehicle
from routing.street.access import Snapped, StreetRoute, route_of_arcs
from routing.street.graph import step_metres
from routing.street.kernels import NO_EDGE
from routing.walks import Walking

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
    ) -> None:
        self.walking = walking
        self._network = network
        self._base_s = base_s
        self._query = query
        self._flexible = flexible
        self._rides = rides
        # What the itineraries of one answer share: most begin and end alike.
        self._ways: dict[tuple[Mode, int, int], StreetRoute | None] = {}
        self._places: dict[int, LegPlace] = {}
        self._ends: dict[tuple[Endpoint, str], Snapped | None] = {}
        self._lines: dict[tuple[int, int, int], Shape] = {}
        self._drawn: dict[int, Shape] = {}

    def itinerary(self, journey: RawJourney) -> Itinerary:
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
        return Itinerary(tuple(legs))

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

    def _place(self, node: int) -> LegPlace:
        place = self._places.get(node)
        if place is None:
            place = self._places[node] = self._make_place(node)
        return place

    def _make_place(self, node: int) -> LegPlace:
        network = self._network
        t = network.timetable
        if node < network.stop_count:
            place = Coordinate(float(t.stop_lat[node]), float(t.stop_lon[node]))
            return LegPlace(t.stop_name[node], place, stop=node)
        point = node - network.stop_count
        points = network.points
        place = Coordinate(float(points.lat[point]), float(points.lon[point]))
        return LegPlace(points.name[point], place, point=point)

    def _snapped(self, node: int | None, end: Endpoint, mode: Mode) -> Snapped | None:
        if node is None:
            key = end, self.profile(mode)
            if key not in self._ends:
                self._ends[key] = tie_end(self._network, end, self._query.max_matching_m, key[1])[0]
            return self._ends[key]
        if node < self._network.stop_count:
            return self._network.place_at_stop(node)
        return self._network.place_at_point(node - self._network.stop_count, car=False)

    def _way(
        self, mode: Mode, start: int | None, end: int | None, start_s: int, way_s: int
    ) -> StreetLeg:
        """On foot or by bike between two search nodes; None is the query's own end."""
        origin, destination = self._query.origin, self._query.destination
        route = None
        if self._query.detailed or self._query.wheelchair:
            key = (mode, -1 if start is None else start, -1 if end is None else end)
            if key not in self._ways:
                self._ways[key] = self._find_way(mode, start, end, way_s)
            route = self._ways[key]
        return StreetLeg(
            mode=mode,
            start=self.end_place(origin) if start is None else self._place(start),
            end=self.end_place(destination) if end is None else self._place(end),
            start_at=self._at(start_s),
            end_at=self._at(start_s + way_s),
            shape=None if route is None or not self._query.detailed else self._shape_of(route),
            access=None if route is None or mode is not Mode.WALK else self.access_of(route),
        )

    def _shape_of(self, route: StreetRoute) -> Shape:
        """Geometry of a way in `_ways`, made once: its writer knows it again."""
        if id(route) not in self._drawn:
            self._drawn[id(route)] = self.shape(route)
        return self._drawn[id(route)]

    def _find_way(
        self, mode: Mode, start: int | None, end: int | None, way_s: int
    ) -> StreetRoute | None:
        a = self._snapped(start, self._query.origin, mode)
        b = self._snapped(end, self._query.destination, mode)
        if a is None or b is None:
            return None
        limit_s = int(way_s / pace_factor(self._network, self._query, mode)) + SLACK_S
        return self._network.find_route(self.profile(mode), a, b, limit_s, self.walking_by(mode))

    def access_of(self, route: StreetRoute) -> Access:
        """What a walk is to a wheelchair."""
        network = self._network
        straight = not network.has_streets and bool((route.edge == NO_EDGE).any())
        return access_of_walk(network.streets, network.stations, route.used, straight=straight)

    def _vehicle(self, leg: RawVehicle) -> list[TransitLeg]:
        """One leg for each trip of the vehicle on which the rider is aboard."""
        t = self._network.timetable
        parts = parts_of_ride(t, leg.trip, leg.board_position, leg.alight_position)
        first_event = int(t.trip_first_event[parts[0].trip]) + parts[0].board
        shift_s = leg.start_s - int(t.event_departure_s[first_event])
        searched = dt.datetime.fromtimestamp(self._base_s + 43_200, tz=self._network.zone).date()
        date = searched + dt.timedelta(days=leg.day)
        return [self._aboard(part, shift_s, date, stays=i > 0) for i, part in enumerate(parts)]

    def _aboard(self, part: Part, shift_s: int, date: dt.date, *, stays: bool) -> TransitLeg:
        t = self._network.timetable
        pattern = int(t.trip_pattern[part.trip])
        first = int(t.pattern_first_stop[pattern])
        event = int(t.trip_first_event[part.trip])
        calls = [
            Call(
                self._place(int(t.pattern_stop[first + i])),
                self._at(int(t.event_arrival_s[event + i]) + shift_s),
                self._at(int(t.event_departure_s[event + i]) + shift_s),
            )
            for i in range(part.board, part.leave + 1)
        ]
        route_type = int(t.route_type[t.pattern_route[pattern]])
        return TransitLeg(
            mode=mode_of_route_type(route_type) or Mode.OTHER,
            start=calls[0].place,
            end=calls[-1].place,
            start_at=calls[0].departure_at,
            end_at=calls[-1].arrival_at,
            shape=self._vehicle_shape(pattern, part),
            trip=part.trip,
            service_date=date,
            board_position=part.board,
            alight_position=part.leave,
            calls=tuple(calls[1:-1]),
            stays_aboard=stays,
            headway_s=int(t.trip_headway_s[part.trip]),
            access=access_of_vehicle(
                int(t.trip_wheelchair[part.trip]),
                self._network.wheelchair_boarding[
                    t.pattern_stop[[first + part.board, first + part.leave]]
                ].tolist(),
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
        lat, lon = t.stop_lat[stops], t.stop_lon[stops]
        if shape >= 0:
            start = int(t.shape_first_point[shape])
            drawn = slice(
                start + int(t.pattern_stop_point[a]), start + int(t.pattern_stop_point[b]) + 1
            )
            if drawn.stop - drawn.start >= 2:
                # The line as drawn, from and to the stops themselves.
                lat = np.r_[lat[0], t.shape_lat[drawn], lat[-1]]
                lon = np.r_[lon[0], t.shape_lon[drawn], lon[-1]]
        return Shape(lat, lon, float(step_metres(lat, lon).sum()))

    def _ride(self, leg: RawRide) -> RideLeg:
        network, bodies, rides = self._network, self._flexible.bodies, self._rides
        pickup, dropoff = int(bodies.point[leg.pickup]), int(bodies.point[leg.dropoff])
        body = int(bodies.body[leg.pickup])
        drive_s = self.drive_s(leg)
        total_s = int(bodies.from_start_s[leg.pickup]) + drive_s
        total_s += int(bodies.to_end_s[leg.dropoff])
        route = self._drive(leg, pickup, dropoff)
        searched = dt.datetime.fromtimestamp(self._base_s + 43_200, tz=network.zone).date()
        return RideLeg(
            mode=Mode.RIDE_SHARING,
            start=self._place(leg.board_node),
            end=self._place(leg.alight_node),
            start_at=self._at(leg.start_s),
            end_at=self._at(leg.end_s),
            shape=None if route is None else self.shape(route),
            offer=int(rides.offer[leg.ride]),
            date=searched + dt.timedelta(days=int(rides.day[leg.ride])),
            detour_s=total_s - int(bodies.solo_s[body]),
            budget_s=int(bodies.budget_s[body]),
            drive_s=drive_s,
            seat_count=int(bodies.seat_count[body]),
            access=UNSAID,
        )

    def _drive(self, leg: RawRide, pickup: int, dropoff: int) -> StreetRoute | None:
        network, bodies = self._network, self._flexible.bodies
        stops = [int(network.points.car_node[pickup])]
        first, last = int(bodies.segment[leg.pickup]), int(bodies.segment[leg.dropoff])
        vias = self._flexible.via_nodes[int(bodies.body[leg.pickup])]
        stops += vias[first:last]
        stops.append(int(network.points.car_node[dropoff]))
        path = [
            arc for a, b in zip(stops, stops[1:], strict=False) for arc in network.drive.path(a, b)
        ]
        return route_of_arcs(network.streets, network.arcs["car"], path)

    def drive_s(self, leg: RawRide) -> int:
        """Drive between a ride's pickup and dropoff, through the driver's stops between them."""
        bodies = self._flexible.bodies
        if bodies.segment[leg.pickup] == bodies.segment[leg.dropoff]:
            pair = bodies.point[leg.pickup], bodies.point[leg.dropoff]
            return int(self._network.ground.drive_s[pair])
        solo_s = int(bodies.solo_s[bodies.body[leg.pickup]])
        return int(bodies.to_end_s[leg.pickup]) + int(bodies.from_start_s[leg.dropoff]) - solo_s
