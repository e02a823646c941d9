"""
Our findings beside those of two published validators: which rules are the same, where they differ.

Severities: ours say what a build did. gtfs-guru has the three of the canonical validator: ERROR
breaks the specification, WARNING a recommendation. gtfs-analyzer has five: CRITICAL forbids to
publish; HIGH does not, and holds breaches of the specification and plain doubts alike; LOW is a
recommendation or a remark.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import gtfs_analyzer
import gtfs_guru

from gtfs_data.checks import Severity
from mobility.actions.check_feed import FEED, check_feed

TODAY = dt.date(2026, 11, 20)
GURU, ANALYZER = "gtfs-guru", "gtfs-analyzer"
AGREES = {
    GURU: {"ERROR": {"error"}, "WARNING": {"warning"}, "INFO": {"info"}},
    ANALYZER: {
        "CRITICAL": {"error"},
        "HIGH": {"error", "warning"},
        "MEDIUM": {"warning"},
        "LOW": {"warning", "info"},
        "INFO": {"info"},
    },
}
"""Their severity → ours that mean the same."""
REAL_FEEDS = (
    "porto/metro_2025_explicit.zip", "terre_haute/terre_haute_gtfs.zip", "addison/actr_gtfs.zip",
    "realtime/bart/bart_gtfs.zip", "sao_paulo/spo_gtfs.zip", "porto_alegre/trensurb_gtfs.zip",
    "feeds/cairns_2014.zip", "feeds/ctran_flex_fares2.zip", "feeds/nyc_subway_2lines.zip",
    "feeds/google_sample.zip", "broken/navitia/gtfs.zip", "broken/transitfeed/flatten_feed.zip",
)  # fmt: skip
"""Twelve published feeds of shared data, beside those with one fault each (`spoilt_feed`)."""

Fired = dict[str, set[str]]
"""Rule, also ``rule@file`` and ``rule@file/field`` → severities with which it fired."""


class Pair(NamedTuple):
    """A rule of ours in one file, and those of the peers that look for the same."""

    ours: str
    """``rule@file``."""
    guru: tuple[str, ...]
    analyzer: tuple[str, ...]

    def theirs(self, peer: str) -> tuple[str, ...]:
        """Rules of one peer."""
        return self.guru if peer == GURU else self.analyzer


def _pairs(text: str) -> tuple[Pair, ...]:
    """``ours | theirs theirs | theirs``, one pair a line."""
    lines = [
        [part.split() for part in line.split("|")] for line in text.split("\n") if line.strip()
    ]
    return tuple(Pair(ours[0], tuple(guru), tuple(analyzer)) for ours, guru, analyzer in lines)


PAIRS = _pairs("""
    not_utf8 | invalid_character | ARC_002 ARC_003
    row_length | invalid_row_length | ARC_012
    duplicate_column | duplicated_column | ARC_015
    invalid_value@calendar.txt | invalid_date@calendar.txt | CAL_003 CAL_004
    invalid_value@calendar_dates.txt | invalid_date@calendar_dates.txt | CLD_002
    invalid_value@routes.txt | invalid_color@routes.txt | RTS_006 RTS_007
    invalid_value@stop_times.txt | invalid_time@stop_times.txt number_out_of_range@stop_times.txt \
invalid_integer@stop_times.txt | STM_003 STM_004 STM_005
    invalid_value@stops.txt | number_out_of_range@stops.txt invalid_float@stops.txt | \
STP_004 STP_005
    missing_value@stop_times.txt | missing_required_field@stop_times.txt | STM_006 STM_046
    duplicate_id@agency.txt | duplicate_key@agency.txt | AGN_010
    duplicate_id@stops.txt | duplicate_key@stops.txt | STP_001
    duplicate_id@routes.txt | duplicate_key@routes.txt | RTS_001
    duplicate_id@trips.txt | duplicate_key@trips.txt | TRP_001
    duplicate_id@calendar.txt | duplicate_key@calendar.txt | CAL_001
    duplicate_id@calendar_dates.txt | duplicate_key@calendar_dates.txt | DQ_021@calendar_dates.txt
    duplicate_id@shapes.txt | duplicate_key@shapes.txt | SHP_008
    duplicate_sequence@stop_times.txt | duplicate_key@stop_times.txt | STM_032
    unknown_agency@routes.txt | foreign_key_violation@routes.txt/agency_id | RTS_002
    missing_agency_id | missing_required_agency_id | AGN_011 AGN_014
    unknown_route@trips.txt | foreign_key_violation@trips.txt/route_id | TRP_002
    unknown_service@trips.txt | foreign_key_violation@trips.txt/service_id | TRP_003
    unknown_shape@trips.txt | foreign_key_violation@trips.txt/shape_id | TRP_004
    unknown_trip@stop_times.txt | foreign_key_violation@stop_times.txt/trip_id | STM_001
    unknown_trip@frequencies.txt | foreign_key_violation@frequencies.txt/trip_id | FRQ_001
    unknown_stop@stop_times.txt | foreign_key_violation@stop_times.txt/stop_id | STM_002
    unknown_stop@transfers.txt | foreign_key_violation@transfers.txt/to_stop_id | TRF_003
    unknown_parent@stops.txt | foreign_key_violation@stops.txt/parent_station | STP_009
    unnamed_route@routes.txt | route_both_short_and_long_name_missing | RTS_003
    unnamed_stop@stops.txt | missing_stop_name | STP_003
    unknown_zone@agency.txt | invalid_timezone@agency.txt | AGN_004
    several_zones@agency.txt | inconsistent_agency_timezone | AGN_005
    calendar_ends_first@calendar.txt | start_and_end_range_out_of_order@calendar.txt | CAL_005
    exception_type@calendar_dates.txt | unexpected_enum_value@calendar_dates.txt | CLD_003
    idle_service | service_never_active | TRP_026 CLD_004 XFL_006
    service_over@calendar.txt | trip_coverage_not_active_for_next7_days | CAL_009
    feed_expired@feed_info.txt | feed_expiration_date7_days | FIN_010
    no_end_date@feed_info.txt | missing_recommended_file@feed_info.txt missing_feed_info_date | \
FIN_014
    short_trip@stop_times.txt | unusable_trip | STM_033
    trip_without_times@trips.txt | unused_trip | XFL_002
    missing_end_time@stop_times.txt | missing_trip_edge | STM_015 STM_016
    time_goes_back@stop_times.txt | stop_time_with_arrival_before_previous_departure_time | \
STM_007 STM_008
    frequency_window@frequencies.txt | start_and_end_range_out_of_order@frequencies.txt \
number_out_of_range@frequencies.txt | FRQ_005 FRQ_008
    block_overlap@trips.txt | block_trips_with_overlapping_stop_times | TRP_022
    unknown_trip@transfers.txt | foreign_key_violation@transfers.txt/to_trip_id | TRF_007
    fast_travel@trips.txt | fast_travel_between_consecutive_stops | STM_012
    near_origin@stops.txt | point_near_origin@stops.txt | GEO_016
    far_from_shape@stops.txt | stop_too_far_from_shape stops_match_shape_out_of_order | \
GEO_009 SHP_012
    unused_stop@stops.txt | stop_without_stop_time | STP_020
    unused_route@routes.txt | unused_route | RTS_012
""".replace("\\\n", ""))  # fmt: skip


def our_rules(path: Path) -> Fired:
    """What we find in a feed; raises what refuses it."""
    fired: Fired = {}
    for finding in check_feed(path, today=TODAY).findings:
        file = finding.file.removeprefix(f"{FEED}/")
        _add(fired, finding.rule, str(finding.severity), file)
    return fired


def guru_rules(path: Path) -> Fired:
    """What gtfs-guru finds."""
    fired: Fired = {}
    for notice in gtfs_guru.validate(str(path), date=TODAY.isoformat()).notices:
        about = notice.context()
        file = notice.file or about.get("filename") or about.get("childFilename")
        field = notice.field or about.get("childFieldName") or about.get("fieldName")
        if notice.code == "point_near_origin":
            file = about.get("filename") or "stops.txt"
        _add(fired, notice.code, notice.severity, file, field)
    return fired


def analyzer_rules(path: Path) -> Fired:
    """What gtfs-analyzer finds."""
    fired: Fired = {}
    for notice in gtfs_analyzer.validate_gtfs(path, today=TODAY.isoformat())["notices"]:
        _add(fired, notice["rule_id"], notice["severity"], notice["file"])
    return fired


PEERS = {GURU: guru_rules, ANALYZER: analyzer_rules}


def _add(
    fired: Fired, rule: str, severity: str, file: str | None, field: str | None = None
) -> None:
    for name in (rule, f"{rule}@{file}", f"{rule}@{file}/{field}"):
        fired.setdefault(name, set()).add(severity)


class Difference(NamedTuple):
    """One pair of rules that do not say the same of some feeds."""

    ours: str
    peer: str
    kind: str
    """``only ours``, ``only theirs`` or ``severity``."""


def differences(ours: Fired, theirs: Fired, peer: str) -> Iterable[Difference]:
    """Compare what fired in one feed, pair by pair."""
    for pair in PAIRS:
        mine = ours.get(pair.ours, set())
        their = set().union(*(theirs.get(rule, set()) for rule in pair.theirs(peer)))
        if bool(mine) != bool(their):
            yield Difference(pair.ours, peer, "only ours" if mine else "only theirs")
        elif mine and not any(mine & AGREES[peer][severity] for severity in their):
            yield Difference(pair.ours, peer, "severity")


def is_grave(theirs: Fired, peer: str) -> bool:
    """Whether a peer finds an error."""
    grave = [s for s, ours in AGREES[peer].items() if ours == {str(Severity.ERROR)}]
    return any(severities & set(grave) for severities in theirs.values())
