"""Carpool offers as a GTFS feed of one route (type 1551), for planners that read timetables."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from carpool.fixed_trips import fixed_trip
from carpool.offers import WEEKDAYS, Offer
from core.ids import OfferId
from mobility.world import LoadedRide, World
from routing.raptor.body_table import Body

ROUTE_TYPE = 1551
"""Extended route type of carpools, as other planners read it."""
ASK_THE_DRIVER = 3
NOT_HERE = 1
LONG_AGO = (2020, 1, 1, 0, 0, 0)
"""Time of the files in the archive: the same offers give the same bytes."""
VERSION_LENGTH = 16
HEADERS = {
    "agency": ("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"),
    "routes": (
        "route_id", "agency_id", "route_short_name", "route_long_name", "route_type", "route_url",
        "route_color", "route_text_color",
    ),
    "stops": ("stop_id", "stop_name", "stop_lat", "stop_lon"),
    "trips": ("route_id", "service_id", "trip_id", "trip_headsign"),
    "stop_times": (
        "trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type",
        "drop_off_type", "timepoint",
    ),
    "calendar": (
        "service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
        "start_date", "end_date",
    ),
    "calendar_dates": ("service_id", "date", "exception_type"),
    "feed_info": (
        "feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date",
        "feed_end_date", "feed_version",
    ),
}  # fmt: skip
Row = tuple[object, ...]


def carpool_gtfs(world: World, site: str) -> bytes:
    """
    All offers to everyone of drivers here that are searched, as a zipped feed.

    A trip calls at up to twenty meeting points that the driver passes, or fits into his budget all
    together, and leaves at the beginning of his window. Trips of booked dates have the seats that
    are left; that a ride is late or cancelled tells `carpool_realtime`.

    Parameters
    ----------
    site
        Address of this server, without a slash at its end; seats are booked there.
    """
    tables: dict[str, list[Row]] = {name: [] for name in HEADERS}
    points, zone = world.network.points, str(world.network.zone)
    name = world.snapshot.about["name"]
    services: dict[Row, str] = {}
    used: set[int] = set()
    for trip_id, offer, body in timetable_trips(world):
        calls = fixed_trip(body, world.network.ground.drive_s)
        if not calls:
            continue
        headsign = str(points.name[calls[-1][0]])
        tables["trips"].append(("carpool", _service(offer, services, tables), trip_id, headsign))
        tables["stop_times"] += _stop_times(trip_id, offer, calls, points.id)
        used |= {point for point, _ in calls}
    tables["agency"] = [("carpool", f"Covoiturage – {name}", f"{site}/", zone, "fr")]
    tables["routes"] = [
        ("carpool", "carpool", "Covoiturage", "", ROUTE_TYPE, f"{site}/", "4B2E83", "FFFFFF")
    ]
    tables["stops"] = [
        (points.id[i], points.name[i], f"{points.lat[i]:.6f}", f"{points.lon[i]:.6f}")
        for i in sorted(used)
    ]
    first, last = (
        pick((str(row[column]) for row in tables["calendar"]), default="")
        for pick, column in ((min, -2), (max, -1))
    )
    version = hashlib.sha256(repr(tables).encode()).hexdigest()[:VERSION_LENGTH]
    tables["feed_info"] = [(name, f"{site}/", "fr", first, last, version)]
    return _zipped(tables)


def timetable_trips(world: World) -> Iterator[tuple[str, Offer, Body]]:
    """Trips of drivers here for everyone, as planned: whole offers, what is left of rides."""
    shown: set[OfferId] = set()
    for row in (world.public & world.is_own).nonzero()[0].tolist():
        offer = world.offers[row]
        if offer.id not in shown:  # behind it, the same as late as it is
            yield f"carpool:{offer.id}", offer, world.bodies[row]
        shown.add(offer.id)
    for loaded in world.rides.values():
        if loaded.ride.offer.id in shown:
            yield from trips_of(loaded)


def trips_of(loaded: LoadedRide) -> Iterator[tuple[str, Offer, Body]]:
    """Trips of a dated ride, under ids that do not change with other dates."""
    for nth, (offer, body) in enumerate(loaded.planned, start=1):
        yield f"carpool:{offer.id}:{offer.valid_from:%Y%m%d}:{nth}", offer, body


def _service(offer: Offer, services: dict[Row, str], tables: dict[str, list[Row]]) -> str:
    """Id of the service that runs when the offer does, written when it is the first to."""
    days = (
        *(int(day in offer.weekdays) for day in WEEKDAYS),
        f"{offer.valid_from:%Y%m%d}", f"{offer.valid_to:%Y%m%d}",
    )  # fmt: skip
    without = tuple(
        sorted(d for d in offer.except_dates if offer.valid_from <= d <= offer.valid_to)
    )
    if (days, without) not in services:
        service_id = services[days, without] = f"s{len(services) + 1}"
        tables["calendar"].append((service_id, *days))
        tables["calendar_dates"] += [(service_id, f"{date:%Y%m%d}", 2) for date in without]
    return services[days, without]


def _stop_times(
    trip_id: str, offer: Offer, calls: Sequence[tuple[int, int]], ids: Sequence[str]
) -> Iterable[Row]:
    last = len(calls) - 1
    for i, (point, seconds) in enumerate(calls):
        at = _clock(offer.depart_from_s + seconds)
        get_in, get_out = (NOT_HERE if i == end else ASK_THE_DRIVER for end in (last, 0))
        yield trip_id, at, at, ids[point], i, get_in, get_out, 0


def _clock(seconds: int) -> str:
    """Time as GTFS writes it, 24:30:00 being half past midnight."""
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def _zipped(tables: dict[str, list[Row]]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([HEADERS[name], *rows])
            archive.writestr(zipfile.ZipInfo(f"{name}.txt", LONG_AGO), text.getvalue())
    return whole.getvalue()
