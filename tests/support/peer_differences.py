"""Where our findings and a peer's are known to differ, why, and in which of the compared feeds."""

from __future__ import annotations

from typing import NamedTuple

from tests.support.check_peers import ANALYZER, GURU, REAL_FEEDS, Difference

OURS, THEIRS, SEVERITY = "only ours", "only theirs", "severity"
_EXPIRED = tuple(f for f in REAL_FEEDS if "ctran" not in f and "navitia" not in f)
_NO_INFO = (
    "porto/metro_2025_explicit.zip", "sao_paulo/spo_gtfs.zip", "porto_alegre/trensurb_gtfs.zip",
    "feeds/cairns_2014.zip", "feeds/nyc_subway_2lines.zip", "feeds/google_sample.zip",
    "broken/navitia/gtfs.zip", "broken/transitfeed/flatten_feed.zip",
)  # fmt: skip
_NAVITIA = "broken/navitia/gtfs.zip"
_SPOILT_ROWS = (
    "it reports no reference out of trips.txt and routes.txt when they have rows of a wrong length"
)
_LEFT_OUT_BEFORE = "we tell a row once: it was left out before, for the trip or route it names"


class Reason(NamedTuple):
    """Why two tools need not agree here."""

    why: str
    feeds: tuple[str, ...]
    """Of the compared feeds exactly those that differ in this way."""


DIFFERENCES: dict[Difference, Reason] = {
    # The archive and its cells
    Difference("not_utf8", GURU, SEVERITY): Reason(
        "an error there; we read the file as Windows-1252 and lose nothing", ("not_utf8",)
    ),
    Difference("not_utf8", ANALYZER, SEVERITY): Reason(
        "a publish blocker there; we read the file as Windows-1252 and lose nothing", ("not_utf8",)
    ),
    Difference("row_length", GURU, THEIRS): Reason(
        "we tell it only when a value is lost, not when trailing cells are absent or blank",
        ("feeds/google_sample.zip", _NAVITIA),
    ),
    Difference("row_length", ANALYZER, THEIRS): Reason(
        "we tell it only when a value is lost, not when trailing cells are absent or blank",
        ("feeds/google_sample.zip", _NAVITIA),
    ),
    Difference("row_length", GURU, SEVERITY): Reason(
        "an error there; we keep the row, and what stands past the header has no meaning",
        ("row_length",),
    ),
    Difference("row_length", ANALYZER, SEVERITY): Reason(
        "a publish blocker there; we keep the row, and what stands past the header has no meaning",
        ("row_length",),
    ),
    Difference("invalid_value@routes.txt", GURU, SEVERITY): Reason(
        "an error there; a colour that becomes blank hides no journey",
        ("invalid_value@routes.txt",),
    ),
    # Ids and references
    Difference("duplicate_id@shapes.txt", GURU, OURS): Reason(
        "it does not look for points of one shape with one sequence", ("duplicate_id@shapes.txt",)
    ),
    Difference("duplicate_id@trips.txt", GURU, THEIRS): Reason(_LEFT_OUT_BEFORE, (_NAVITIA,)),
    Difference("duplicate_sequence@stop_times.txt", ANALYZER, SEVERITY): Reason(
        "a remark there; which of the two calls is meant is unknown, and we leave one out",
        ("duplicate_sequence@stop_times.txt",),
    ),
    Difference("unknown_agency@routes.txt", GURU, OURS): Reason(_SPOILT_ROWS, (_NAVITIA,)),
    Difference("unknown_route@trips.txt", GURU, OURS): Reason(_SPOILT_ROWS, (_NAVITIA,)),
    Difference("unknown_trip@stop_times.txt", GURU, OURS): Reason(_SPOILT_ROWS, (_NAVITIA,)),
    Difference("unknown_service@trips.txt", ANALYZER, THEIRS): Reason(
        _LEFT_OUT_BEFORE, (_NAVITIA,)
    ),
    Difference("unknown_stop@stop_times.txt", GURU, THEIRS): Reason(_LEFT_OUT_BEFORE, (_NAVITIA,)),
    Difference("unknown_stop@stop_times.txt", ANALYZER, THEIRS): Reason(
        _LEFT_OUT_BEFORE, (_NAVITIA,)
    ),
    Difference("unknown_stop@stop_times.txt", GURU, OURS): Reason(
        "the stop is there, without a place: nobody can walk to it, so its calls are left out",
        ("invalid_value@stops.txt",),
    ),
    Difference("unknown_stop@stop_times.txt", ANALYZER, OURS): Reason(
        "the stop is there, without a place: nobody can walk to it, so its calls are left out",
        ("invalid_value@stops.txt",),
    ),
    # Days and zones
    Difference("several_zones@agency.txt", ANALYZER, SEVERITY): Reason(
        "not a blocker there; one clock for all agencies shows wrong times",
        ("several_zones@agency.txt",),
    ),
    Difference("exception_type@calendar_dates.txt", GURU, SEVERITY): Reason(
        "any unknown code is a warning there; a day that is left out may be a journey",
        ("exception_type@calendar_dates.txt",),
    ),
    Difference("idle_service", ANALYZER, THEIRS): Reason(
        "it tells the trips of services that no calendar has as well: unknown_service here",
        (_NAVITIA, "unknown_service@trips.txt"),
    ),
    Difference("service_over@calendar.txt", ANALYZER, SEVERITY): Reason(
        "information there; riders of today find nothing",
        (*_EXPIRED, "service_over@calendar.txt"),
    ),
    Difference("service_over@calendar.txt", ANALYZER, THEIRS): Reason(
        "no trip of this feed can be ridden at all: nothing_runs here, an error", (_NAVITIA,)
    ),
    Difference("no_end_date@feed_info.txt", ANALYZER, OURS): Reason(
        "without feed_info.txt it has ARC_020, which tells a feed without shapes.txt as well",
        _NO_INFO,
    ),
    Difference("no_end_date@feed_info.txt", GURU, OURS): Reason(
        "it tells one date without the other, not when both are absent",
        ("feeds/ctran_flex_fares2.zip",),
    ),
    # Trips, times and places
    Difference("block_overlap@trips.txt", GURU, SEVERITY): Reason(
        "an error there; no journey goes wrong where riders change instead of staying aboard",
        ("block_overlap@trips.txt",),
    ),
    Difference("short_trip@stop_times.txt", GURU, THEIRS): Reason(
        "it counts trips without any stop time as well: trip_without_times here",
        ("unknown_route@trips.txt", "trip_without_times@trips.txt"),
    ),
    Difference("trip_without_times@trips.txt", GURU, OURS): Reason(_SPOILT_ROWS, (_NAVITIA,)),
    Difference("fast_travel@trips.txt", ANALYZER, OURS): Reason(
        "told there by a second rule, STM_014, whose limits for buses are far below ours",
        ("broken/transitfeed/flatten_feed.zip",),
    ),
    Difference("near_origin@stops.txt", ANALYZER, OURS): Reason(
        "a tenth of a degree there; the canonical validator and we take a whole one", (_NAVITIA,)
    ),
    Difference("far_from_shape@stops.txt", ANALYZER, OURS): Reason(
        "it takes the nearest point; we keep the order of the stops, as riders travel: the shape "
        "runs the other way",
        ("porto_alegre/trensurb_gtfs.zip",),
    ),
    Difference("unused_route@routes.txt", GURU, OURS): Reason(
        "its rule is off by default",
        (_NAVITIA, "broken/transitfeed/flatten_feed.zip", "unused_route@routes.txt"),
    ),
}  # fmt: skip
