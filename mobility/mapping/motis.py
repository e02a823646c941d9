"""
Itineraries → the shape of the MOTIS 2 API (its OpenAPI document, design of the carpool leg).

Our own facts stand in an extra member, `mobility`, of the answer, of itineraries and of legs: price
with its charges, CO2, detour, seats, how often a vehicle leaves where its times are not exact.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from carpool.audience import Need
from carpool.chances import Chance
from carpool.privacy import told_detour_s
from carpool.quotes import sign_quote
from core.modes import CARPOOL_ROUTE_TYPE, Mode
from core.time import DAY_S
from mobility.mapping.access import write_access
from mobility.mapping.interlined import joined_leg, joined_shape, rows_shown
from mobility.mapping.priced import PricedItinerary
from mobility.mapping.quoted import quotes_of
from mobility.mapping.sentences import reason_sentences
from mobility.mapping.steps import write_steps
from mobility.mapping.timeless import USES, Timeless, line_names, mode_name, timeless
from mobility.mapping.written_prices import (
    write_addition,
    write_fare_transfers,
    write_outside,
    write_price,
)
from mobility.world import World
from payments.bill import charges_at
from routing.itinerary import (
    Call,
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

EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
DATES_KEPT = 64
CARPOOL_COLOR = "7A3E9D"
WHEELCHAIR = {1: "ACCESSIBLE", 2: "NOT_ACCESSIBLE"}
MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60))
SECONDS = tuple(f"{second:02}Z" for second in range(60))
Json = dict[str, Any]


def instant(moment: dt.datetime) -> str:
    """UTC with seconds, as MOTIS writes times."""
    return utc_text(int(moment.timestamp()))


def utc_text(epoch_s: int) -> str:
    """The same of an epoch second, joined from parts: an answer has hundreds of times."""
    day, second = divmod(epoch_s, DAY_S)
    return date_text(day) + MINUTES[second // 60] + SECONDS[second % 60]


@lru_cache(DATES_KEPT)
def date_text(day: int) -> str:
    """Date of a number of days since 1970."""
    return dt.date.fromordinal(EPOCH_DAY + day).isoformat()


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


def _times(arrival: str | None, departure: str | None) -> Json:
    """Members of a place that say when one arrives and leaves."""
    written = {}
    if arrival is not None:
        written["arrival"] = written["scheduledArrival"] = arrival
    if departure is not None:
        written["departure"] = written["scheduledDeparture"] = departure
    return written


class MotisWriter:
    """
    Writes answers of one world in one version of the API and one language.

    `site` is the address of this server as its reader knows it: apps open links outside of it.
    With `quotes`, rides carry those by which they are booked.
    """

    def __init__(
        self,
        world: World,
        version: int,
        language: str,
        detail: Detail = EVERYTHING,
        *,
        site: str = "",
        quotes: bool = False,
    ) -> None:
        self._site = site
        self._quotes = quotes and bool(world.quote_key)
        self._world = world
        self._detail = detail
        self._t = world.network.timetable
        self._version = version
        self._language = language
        self._decimals = 7 if version == 1 else 6
        # Many itineraries of one answer share lines and ways.
        self._known_steps: dict[int, list[Json]] = {}
        self._known_geometry: dict[int, Json] = {}
        self._known_shapes: list[Shape] = []
        """Kept, so that no other object takes the number by which one is known."""

    @cached_property
    def _timeless(self) -> Timeless:
        return timeless((self._world.network, self._version))

    def itinerary(
        self,
        priced: PricedItinerary,
        *,
        fares: bool = False,
        seats: int = 1,
        needs: Collection[Need] = (),
    ) -> Json:
        """One itinerary with its price, quoted for so many seats and what the rider brings."""
        it, added = priced.itinerary, priced.own
        rides = [leg for leg in it.legs if isinstance(leg, RideLeg)]
        shown, price = rows_shown(it, joined=self._detail.joined), priced.price
        if shown[-1] < len(shown) - 1:
            price = replace(price, charges=charges_at(price.charges, shown))
            added = added and replace(added, charges=charges_at(added.charges, shown))
        own: Json = {
            "family": str(it.family),
            "price": write_price(price),
            **({} if added is None else {"own_price": write_addition(added)}),
            "co2_g": priced.co2_g,
            "best_for": list(it.best_for),
            "detour_s": sum(told_detour_s(leg.detour_s) for leg in rides) if rides else None,
            "seats_left": min((leg.seat_count for leg in rides), default=None),
        }
        written: Json = {**self.unpriced(it), "mobility": own}
        if self._quotes and rides:
            for row, quote in quotes_of(self._world, priced, seats, needs).items():
                own_of_leg = written["legs"][shown[row]]["mobility"]
                own_of_leg["quote"] = sign_quote(quote, self._world.quote_key)
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

    def place(
        self, place: LegPlace, *, arrival: str | None = None, departure: str | None = None
    ) -> Json:
        """One end of a leg, with its arrival and departure where known."""
        where = place.coordinate
        written = self._timeless.place(place.name, where.lat, where.lon)
        if place.stop is not None:
            written |= self._timeless.stop_ids(place.stop)
        elif place.point is not None:
            written["stopId"] = f"{MEETING_POINT}{self._world.network.points.id[place.point]}"
            written["vertexType"] = "TRANSIT"
        return written | _times(arrival, departure)

    def stop_place(
        self, stop: int, *, arrival: str | None = None, departure: str | None = None
    ) -> Json:
        """A stop by its row."""
        return self._timeless.stop(stop) | _times(arrival, departure)

    def route_facts(self, trip: int) -> Json:
        """Line, agency and trip of a vehicle leg or stop time."""
        t = self._t
        route = int(t.pattern_route[t.trip_pattern[trip]])
        first, last = self._calls_of(trip)
        stops = t.pattern_stop
        facts = self._timeless.line(route).copy()
        end = int(stops[last])
        facts["headsign"] = t.trip_headsign[trip] or t.stop_name[end]
        facts["tripFrom"] = self._timeless.stop(int(stops[first]))
        facts["tripTo"] = self._timeless.stop(end)
        facts["directionId"] = str(max(int(t.trip_direction[trip]), 0))
        name = facts["tripShortName"] = t.trip_short_name[trip]
        shown = "displayName" if "displayName" in facts else "routeShortName"
        facts[shown] = facts[shown] or name or facts["routeLongName"]
        wheelchair = WHEELCHAIR.get(int(t.trip_wheelchair[trip]))
        if wheelchair is not None:
            facts["wheelchairAccessible"] = wheelchair
        if url := self._timeless.line_url(route):
            facts["routeUrl"] = url
        return facts

    def calls(self, trip: int, times: list[tuple[dt.datetime, dt.datetime]]) -> list[Json]:
        """All calls of a trip with their arrivals and departures, and who may get in or out."""
        first, last = self._calls_of(trip)
        return [
            self._called(
                row,
                arrival=instant(arrival_at) if row > first else None,
                departure=instant(departure_at) if row < last else None,
            )
            for row, (arrival_at, departure_at) in enumerate(times, first)
        ]

    def _calls_of(self, trip: int) -> tuple[int, int]:
        """Rows of a trip's first and last calls among those of the patterns."""
        pattern = int(self._t.trip_pattern[trip])
        first, end = self._t.pattern_first_stop[pattern : pattern + 2].tolist()
        return first, end - 1

    def _called(
        self, row: int, *, arrival: str | None = None, departure: str | None = None
    ) -> Json:
        """A stop as one call of a pattern."""
        stop, flag = int(self._t.pattern_stop[row]), int(self._t.pattern_flag[row])
        return {**self._timeless.stop(stop), **_times(arrival, departure), **USES[flag]}

    def _passed(self, first: int, calls: tuple[Call, ...]) -> list[Json]:
        """Calls between two ends of a leg, the first of them in row `first` of the patterns."""
        stop, every = self._timeless.stop, self._detail.skipped_stops
        flags = self._t.pattern_flag[first : first + len(calls)].tolist()
        written = []
        for (place, arrival_s, departure_s), flag in zip(calls, flags, strict=True):
            if flag or every:
                assert place.stop is not None
                arrival = departure = utc_text(arrival_s)
                if departure_s != arrival_s:
                    departure = utc_text(departure_s)
                written.append(
                    {
                        **stop(place.stop),
                        "arrival": arrival,
                        "scheduledArrival": arrival,
                        "departure": departure,
                        "scheduledDeparture": departure,
                        **USES[flag],
                    }
                )
        return written

    def trip_id(self, trip: int, date: dt.date) -> str:
        """Id of a dated trip: the day on which it runs, then the feed's own id."""
        return f"{date.isoformat().replace('-', '')}_{self._t.trip_id[trip]}"

    def modes(self, modes: list[Mode]) -> list[str]:
        """Names of modes in this version."""
        return [mode_name(mode, self._version) for mode in modes]

    def _leg(self, leg: Leg, *, detailed: bool) -> Json:
        written = self._travelled(leg, detailed=detailed)
        if leg.access is not None:
            written["mobility"] = {
                **written.get("mobility", {}),
                **write_access(self._t, leg.access),
            }
        return written

    def _travelled(self, leg: Leg, *, detailed: bool) -> Json:
        start, end = instant(leg.start_at), instant(leg.end_at)
        if isinstance(leg, TransitLeg):
            first, _ = self._calls_of(leg.trip)
            origin = self._called(first + leg.board_position, departure=start)
            destination = self._called(first + leg.alight_position, arrival=end)
        else:
            origin = self.place(leg.start, departure=start)
            destination = self.place(leg.end, arrival=end)
        written: Json = {
            "mode": mode_name(leg.mode, self._version),
            "from": origin,
            "to": destination,
            "duration": round((leg.end_at - leg.start_at).total_seconds()),
            "startTime": start,
            "endTime": end,
            "scheduledStartTime": start,
            "scheduledEndTime": end,
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
        own: Json = {"interlineWithPreviousLeg": True} if leg.stays_aboard else {}
        if leg.headway_s:
            own["mobility"] = {"times": "approximate", "headway_s": leg.headway_s}
        return {
            **self.route_facts(leg.trip),
            **own,
            "tripId": self.trip_id(leg.trip, leg.service_date),
            "intermediateStops": self._passed(
                self._calls_of(leg.trip)[0] + leg.board_position + 1, leg.calls
            ),
        }

    def _ride(self, leg: RideLeg) -> Json:
        offer = self._world.offers[leg.offer]
        points = self._world.network.points
        pickup, dropoff = (
            None if place.point is None else points.id[place.point]
            for place in (leg.start, leg.end)
        )
        name = "Covoiturage" if self._language == "fr" else "Carpool"
        page = f"{self._site}/?offer={offer.id}&date={leg.date.isoformat()}"
        agency, home = offer.driver, f"{self._site}/"
        own: Json = {"chance_to_run": self._world.chances.get(offer.id, Chance.NEW)}
        if offer.outside is not None:
            page, agency = offer.outside.url, offer.outside.operator
            home = f"https://{agency}/"
            own = write_outside(offer.outside)
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
            "agencyName": agency,
            "agencyUrl": home,
            "tripId": f"{leg.date:%Y%m%d}_carpool:{offer.id}",
            **line_names(name, name, self._version),
            "routeLongName": name,
            "tripShortName": "",
            "cancelled": False,
            "source": "carpool",
            "intermediateStops": [],
            "mobility": {
                "offer_id": offer.id,
                "date": leg.date.isoformat(),
                "pickup_point_id": pickup,
                "dropoff_point_id": dropoff,
                "detour_s": told_detour_s(leg.detour_s),
                "detour_budget_s": leg.budget_s,
                "drive_s": leg.drive_s,
                "seats_left": leg.seat_count,
                "audience": offer.circle.audience,
                "takes": [need for need in Need if need in offer.takes],
                **own,
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
