"""
Itineraries → the shape of the MOTIS 2 API (its OpenAPI document, design of the carpool leg).

Our own facts stand in an extra member, `mobility`, of the answer, of itineraries and of legs: price
with its charges, CO2, detour, seats, how often a vehicle leaves where its times are not exact.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.geo import Coordinate
from core.modes import CARPOOL_ROUTE_TYPE, Mode, mode_of_route_type
from gtfs_data.patterns import CAN_ALIGHT, CAN_BOARD
from mobility.mapping.access import write_access
from mobility.mapping.interlined import joined_leg, joined_shape, rows_shown
from mobility.mapping.priced import PricedItinerary
from mobility.mapping.sentences import reason_sentences
from mobility.mapping.steps import write_steps
from mobility.mapping.written_prices import write_fare_transfers, write_price
from mobility.world import World
from routing.itinerary import (
    Itinerary,
    Leg,
    LegPlace,
    RemovedItinerary,
    RideLeg,
    Shape,
    StreetLeg,
    TransitLeg,
)
from routing.network import MEETING_POINT
from routing.polyline import encode_polyline

DEFAULT_COLOR = "5B6770"
CARPOOL_COLOR = "7A3E9D"
WHEELCHAIR = {1: "ACCESSIBLE", 2: "NOT_ACCESSIBLE"}
SCHEDULED = {"arrival": "scheduledArrival", "departure": "scheduledDeparture"}
UTC_LENGTH = len("2026-03-10T08:00:00")
Json = dict[str, Any]


def instant(moment: dt.datetime) -> str:
    """UTC with seconds, as MOTIS writes times."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")[:UTC_LENGTH] + "Z"


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of an itinerary is written."""

    legs: bool = True
    """Geometry and steps of all legs but walks between vehicles."""
    transfers: bool = True
    """Geometry and steps of walks between vehicles."""
    skipped_stops: bool = False
    """Stops on the way at which nobody may get in or out."""
    joined: bool = True
    """One leg for a vehicle that goes on as another trip, not one for each trip."""


EVERYTHING = Detail()


class MotisWriter:
    """
    Writes answers of one world in one version of the API and one language.

    `site` is the address of this server as its reader knows it: apps open links outside of it.
    """

    def __init__(
        self,
        world: World,
        version: int,
        language: str,
        detail: Detail = EVERYTHING,
        *,
        site: str = "",
    ) -> None:
        self._site = site
        self._world = world
        self._detail = detail
        self._t = world.network.timetable
        self._version = version
        self._language = language
        self._zone = world.network.zone.key
        self._decimals = 7 if version == 1 else 6
        # Many itineraries of one answer share places, lines and ways.
        self._known_steps: dict[int, list[Json]] = {}
        self._known_geometry: dict[int, Json] = {}
        self._known_shapes: list[Shape] = []
        """Kept, so that no other object takes the number by which one is known."""
        self._known_places: dict[LegPlace, Json] = {}
        self._known_stops: dict[int, LegPlace] = {}
        self._known_facts: dict[int, Json] = {}

    def itinerary(self, priced: PricedItinerary, *, fares: bool = False) -> Json:
        """One itinerary with its price."""
        it = priced.itinerary
        rides = [leg for leg in it.legs if isinstance(leg, RideLeg)]
        shown = rows_shown(it, joined=self._detail.joined)
        price = replace(
            priced.price,
            charges=tuple(
                replace(c, legs=tuple(shown[row] for row in c.legs)) for c in priced.price.charges
            ),
        )
        own: Json = {
            "family": str(it.family),
            "price": write_price(price),
            "co2_g": priced.co2_g,
            "best_for": list(it.best_for),
            "detour_s": sum(leg.detour_s for leg in rides) if rides else None,
            "seats_left": min((leg.seat_count for leg in rides), default=None),
        }
        written: Json = {**self.unpriced(it), "mobility": own}
        if fares and price.amount_cents is not None:
            written["fareTransfers"] = write_fare_transfers(price, written["legs"], self._language)
        return written

    def unpriced(self, it: Itinerary) -> Json:
        """One itinerary as MOTIS knows it; its id stays empty, as none can be refreshed."""
        legs = self._legs(it)
        for before, then in itertools.pairwise(legs):
            then["from"]["arrival"] = then["from"]["scheduledArrival"] = before["endTime"]
        return {
            "id": "",
            "duration": round((it.end_at - it.start_at).total_seconds()),
            "startTime": instant(it.start_at),
            "endTime": instant(it.end_at),
            "transfers": max(it.vehicle_count - 1, 0),
            "legs": legs,
        }

    def removed(self, removed: Sequence[RemovedItinerary]) -> list[Json]:
        """What was found and is not shown: why, and in favour of which other."""
        return [
            {
                "reason": r.reason,
                **reason_sentences(r.reason),
                "itinerary": self.unpriced(r.itinerary),
                "instead": None if r.by is None else self.unpriced(r.by),
            }
            for r in removed
        ]

    def _legs(self, it: Itinerary) -> list[Json]:
        last, detail = len(it.legs) - 1, self._detail
        legs = [
            self._leg(
                leg,
                detailed=detail.transfers
                if isinstance(leg, StreetLeg) and 0 < i < last
                else detail.legs,
            )
            for i, leg in enumerate(it.legs)
        ]
        shown = rows_shown(it, joined=detail.joined)
        written = []
        for _, own in itertools.groupby(range(len(legs)), key=shown.__getitem__):
            rows = list(own)
            if len(rows) == 1:
                written.append(legs[rows[0]])
                continue
            shape = joined_shape([it.legs[row].shape for row in rows]) if detail.legs else None
            aboard = it.legs[rows[-1]].end_at - it.legs[rows[0]].start_at
            written.append(
                joined_leg(
                    [legs[row] for row in rows],
                    duration_s=round(aboard.total_seconds()),
                    geometry=self._geometry(shape),
                )
            )
        return written

    def place(self, place: LegPlace, **times: dt.datetime | None) -> Json:
        """One end of a leg, with its arrival and departure where known."""
        known = self._known_places.get(place)
        if known is None:
            known = self._known_places[place] = self._timeless(place)
        written = known.copy()
        for name, moment in times.items():
            if moment is not None:
                written[name] = written[SCHEDULED[name]] = instant(moment)
        return written

    def _timeless(self, place: LegPlace) -> Json:
        written: Json = {
            "name": place.name,
            "lat": place.coordinate.lat,
            "lon": place.coordinate.lon,
            "vertexType": "NORMAL",
            "tz": self._zone,
        }
        if self._version < 6:
            written["level"] = 0.0
        if place.stop is not None:
            written |= self._stop(place.stop)
        elif place.point is not None:
            written["stopId"] = f"{MEETING_POINT}{self._world.network.points.id[place.point]}"
            written["vertexType"] = "TRANSIT"
        return written

    def stop_place(self, stop: int, **times: dt.datetime | None) -> Json:
        """A stop by its row."""
        place = self._known_stops.get(stop)
        if place is None:
            t = self._t
            where = Coordinate(float(t.stop_lat[stop]), float(t.stop_lon[stop]))
            place = self._known_stops[stop] = LegPlace(t.stop_name[stop], where, stop=stop)
        return self.place(place, **times)

    def route_facts(self, trip: int) -> Json:
        """Line, agency and trip of a vehicle leg or stop time."""
        known = self._known_facts.get(trip)
        if known is None:
            known = self._known_facts[trip] = self._facts(trip)
        return known.copy()

    def _facts(self, trip: int) -> Json:
        t = self._t
        pattern = int(t.trip_pattern[trip])
        route = int(t.pattern_route[pattern])
        agency = int(t.route_agency[route])
        short, long = t.route_short_name[route], t.route_long_name[route]
        stops = t.pattern_stop[t.pattern_first_stop[pattern] : t.pattern_first_stop[pattern + 1]]
        facts: Json = {
            "mode": self._mode(mode_of_route_type(int(t.route_type[route])) or Mode.OTHER),
            "headsign": t.trip_headsign[trip] or t.stop_name[stops[-1]],
            "tripFrom": self.stop_place(int(stops[0])),
            "tripTo": self.stop_place(int(stops[-1])),
            "routeId": t.route_id[route],
            "directionId": str(max(int(t.trip_direction[trip]), 0)),
            "routeColor": t.route_color[route] or DEFAULT_COLOR,
            "routeTextColor": t.route_text_color[route] or "FFFFFF",
            "routeType": int(t.route_type[route]),
            "agencyId": t.agency_id[agency] if agency >= 0 else "",
            "agencyName": t.agency_name[agency] if agency >= 0 else "",
            "agencyUrl": t.agency_url[agency] if agency >= 0 else "",
            **self._names(short, short or t.trip_short_name[trip] or long),
            "routeLongName": long,
            "tripShortName": t.trip_short_name[trip],
            "cancelled": False,
            "bikesAllowed": False,
            "source": t.feed_id[int(t.route_feed[route])],
        }
        wheelchair = WHEELCHAIR.get(int(t.trip_wheelchair[trip]))
        if wheelchair is not None:
            facts["wheelchairAccessible"] = wheelchair
        if t.route_url[route]:
            facts["routeUrl"] = t.route_url[route]
        return facts

    def _names(self, short: str, shown: str) -> Json:
        """Name of a line: before v4 the field of the short name held the one to show."""
        if self._version < 4:
            return {"routeShortName": shown}
        return {"routeShortName": short, "displayName": shown}

    def calls(self, trip: int, times: list[tuple[dt.datetime, dt.datetime]]) -> list[Json]:
        """All calls of a trip with their arrivals and departures, and who may get in or out."""
        first, count = self._calls_of(trip)
        return [
            self._called(
                first + i,
                arrival=arrival_at if i else None,
                departure=departure_at if i < count - 1 else None,
            )
            for i, (arrival_at, departure_at) in enumerate(times)
        ]

    def _calls_of(self, trip: int) -> tuple[int, int]:
        """Row of a trip's first call among those of the patterns, and how many there are."""
        pattern = int(self._t.trip_pattern[trip])
        first, end = self._t.pattern_first_stop[pattern : pattern + 2]
        return int(first), int(end - first)

    def _called(self, row: int, **times: dt.datetime | None) -> Json:
        """A stop as one call of a pattern."""
        written = self.stop_place(int(self._t.pattern_stop[row]), **times)
        return {**written, **self._use(row)}

    def _use(self, row: int) -> Json:
        """Whether riders may get in and out at a call."""
        flag = int(self._t.pattern_flag[row])
        return {
            "pickupType": "NORMAL" if flag & CAN_BOARD else "NOT_ALLOWED",
            "dropoffType": "NORMAL" if flag & CAN_ALIGHT else "NOT_ALLOWED",
            "cancelled": False,
        }

    def trip_id(self, trip: int, date: dt.date) -> str:
        """Id of a dated trip: the day on which it runs, then the feed's own id."""
        return f"{date:%Y%m%d}_{self._t.trip_id[trip]}"

    def _stop(self, stop: int) -> Json:
        t = self._t
        written: Json = {"stopId": t.stop_id[stop], "vertexType": "TRANSIT"}
        parent = int(t.stop_parent[stop])
        if parent >= 0:
            written["parentId"] = t.stop_id[parent]
        if t.stop_platform[stop]:
            written["track"] = written["scheduledTrack"] = t.stop_platform[stop]
        return written

    def modes(self, modes: list[Mode]) -> list[str]:
        """Names of modes in this version."""
        return [self._mode(mode) for mode in modes]

    def _mode(self, mode: Mode) -> str:
        if mode is Mode.SUBURBAN and self._version < 5:
            return "METRO"
        if mode is Mode.AERIAL_LIFT and self._version < 5:
            return "AREAL_LIFT"
        return str(mode)

    def _leg(self, leg: Leg, *, detailed: bool) -> Json:
        written = self._travelled(leg, detailed=detailed)
        if leg.access is not None:
            written["mobility"] = {
                **written.get("mobility", {}),
                **write_access(self._t, leg.access),
            }
        return written

    def _travelled(self, leg: Leg, *, detailed: bool) -> Json:
        written: Json = {
            "mode": self._mode(leg.mode),
            "from": self.place(leg.start, departure=leg.start_at),
            "to": self.place(leg.end, arrival=leg.end_at),
            "duration": round((leg.end_at - leg.start_at).total_seconds()),
            "startTime": instant(leg.start_at),
            "endTime": instant(leg.end_at),
            "scheduledStartTime": instant(leg.start_at),
            "scheduledEndTime": instant(leg.end_at),
            "realTime": False,
            "scheduled": True,
            "legGeometry": self._geometry(leg.shape if detailed else None),
        }
        if leg.shape is not None:
            written["distance"] = round(leg.shape.metres, 1)
        if isinstance(leg, StreetLeg):
            if leg.mode is not Mode.WALK:
                written["intermediateStops"] = []
            if leg.shape is not None and detailed:
                written["steps"] = self._steps(leg.shape)
            return written
        if isinstance(leg, RideLeg):
            return written | self._ride(leg)
        return written | self._transit(leg)

    def _transit(self, leg: TransitLeg) -> Json:
        first, _ = self._calls_of(leg.trip)
        board, alight = first + leg.board_position, first + leg.alight_position
        between = [
            self._called(board + 1 + i, arrival=call.arrival_at, departure=call.departure_at)
            for i, call in enumerate(leg.calls)
            if self._detail.skipped_stops or self._t.pattern_flag[board + 1 + i]
        ]
        own: Json = {"interlineWithPreviousLeg": True} if leg.stays_aboard else {}
        if leg.headway_s:
            own["mobility"] = {"times": "approximate", "headway_s": leg.headway_s}
        return {
            **self.route_facts(leg.trip),
            **own,
            "from": self._called(board, departure=leg.start_at),
            "to": self._called(alight, arrival=leg.end_at),
            "tripId": self.trip_id(leg.trip, leg.service_date),
            "intermediateStops": between,
        }

    def _ride(self, leg: RideLeg) -> Json:
        offer = self._world.offers[leg.offer]
        points = self._world.network.points
        assert leg.start.point is not None
        assert leg.end.point is not None
        name = "Covoiturage" if self._language == "fr" else "Carpool"
        page = f"{self._site}/?offer={offer.id}&date={leg.date.isoformat()}"
        return {
            "headsign": leg.end.name,
            "tripFrom": self.place(leg.start),
            "tripTo": self.place(leg.end),
            "routeId": "carpool",
            "routeUrl": page,
            "ticketUrls": {"web": page},
            "directionId": "0",
            "routeColor": CARPOOL_COLOR,
            "routeTextColor": "FFFFFF",
            "routeType": CARPOOL_ROUTE_TYPE,
            "agencyId": "carpool",
            "agencyName": offer.driver,
            "agencyUrl": f"{self._site}/",
            "tripId": f"{leg.date:%Y%m%d}_carpool:{offer.id}",
            **self._names(name, name),
            "routeLongName": name,
            "tripShortName": "",
            "cancelled": False,
            "source": "carpool",
            "intermediateStops": [],
            "mobility": {
                "offer_id": offer.id,
                "date": leg.date.isoformat(),
                "pickup_point_id": points.id[leg.start.point],
                "dropoff_point_id": points.id[leg.end.point],
                "detour_s": leg.detour_s,
                "detour_budget_s": leg.budget_s,
                "drive_s": leg.drive_s,
                "seats_left": leg.seat_count,
            },
        }

    def _geometry(self, shape: Shape | None) -> Json:
        if shape is None or not len(shape.lat):
            return {"points": "", "precision": self._decimals, "length": 0}
        known = self._known_geometry.get(id(shape))
        if known is None:
            points = encode_polyline(shape.lat, shape.lon, self._decimals)
            known = {"points": points, "precision": self._decimals, "length": len(shape.lat)}
            self._known_geometry[id(shape)] = known
            self._known_shapes.append(shape)
        return known

    def _steps(self, shape: Shape) -> list[Json]:
        """Instructions of a way; many itineraries of one answer begin or end with the same."""
        known = self._known_steps.get(id(shape))
        if known is None:
            known = write_steps(self._world.network.streets, shape, self._decimals)
            self._known_steps[id(shape)] = known
            self._known_shapes.append(shape)
        return known
