"""Small feeds with one fault each, so that every rule is tried alone; rule and file name them."""

from __future__ import annotations

from pathlib import Path

from tests.gtfs_data.small_feeds import GOOD, zip_feed

CALENDAR = (
    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "C,1,1,1,1,1,1,1,20261101,20281130\n"
)
INFO = (
    "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\n"
    "Agence,https://agence.example,fr,20261101,20281130\n"
)
SHAPE = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nP,43.60,3.90,1\nP,43.63,3.90,2\n"
SHAPED = "trip_id,route_id,service_id,shape_id\nT1,R,C,P\nT2,R,C,P\n"
DATES = "service_id,date,exception_type\nC,20261111,2\n"
AGENCY = (
    "agency_id,agency_name,agency_url,agency_timezone\nA,Agence,https://a.example,Europe/Paris\n"
)
FINE = {
    **{name: "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"
       for name, text in GOOD.items()},
    "agency": AGENCY, "calendar": CALENDAR, "feed_info": INFO,
}  # fmt: skip
"""Good in every respect: nobody finds an error or a warning of ours in it."""

FREQUENCIES = "trip_id,start_time,end_time,headway_secs\n"
TRANSFERS = "from_stop_id,to_stop_id,transfer_type,min_transfer_time\n"


def _with(table: str, old: str, new: str) -> dict[str, str | bytes]:
    assert FINE[table].count(old) >= 1
    return {table: FINE[table].replace(old, new, 1)}


def _plus(table: str, row: str) -> dict[str, str | bytes]:
    return {table: f"{FINE[table]}{row}\n"}


FAULTS: dict[str, dict[str, str | bytes]] = {
    "not_utf8": {"stops": FINE["stops"].encode("cp1252")},
    "row_length": _with("routes", "R,A,L1,3", "R,A,L1,3,more"),
    "duplicate_column": {"agency": AGENCY.replace("agency_url,", "agency_url,agency_url,")
                         .replace("https://a.example,", "https://a.example,https://b.example,")},
    "invalid_value@calendar.txt": _plus("calendar", "D,1,1,1,1,1,1,1,tomorrow,20281130"),
    "invalid_value@calendar_dates.txt": {"calendar_dates": f"{DATES}C,Christmas,2\n"},
    "invalid_value@routes.txt": {"routes": "route_id,agency_id,route_short_name,route_type,"
                                 "route_color\nR,A,L1,3,red\n"},
    "invalid_value@stop_times.txt": _with("stop_times", "T1,S2,2,07:10:00", "T1,S2,2,7h10"),
    "invalid_value@stops.txt": _with("stops", "S3,Lycée,43.63", "S3,Lycée,north"),
    "missing_value@stop_times.txt": _with("stop_times", "T1,S2,2", "T1,,2"),
    "duplicate_id@agency.txt": _plus("agency", "A,Agence,https://a.example,Europe/Paris"),
    "duplicate_id@stops.txt": _plus("stops", "S3,Lycée,43.63,3.90,0,"),
    "duplicate_id@routes.txt": _plus("routes", "R,A,L1,3"),
    "duplicate_id@trips.txt": _plus("trips", "T1,R,C"),
    "duplicate_id@calendar.txt": _plus("calendar", "C,1,1,1,1,1,0,0,20261101,20281130"),
    "duplicate_id@calendar_dates.txt": {"calendar_dates": f"{DATES}C,20261111,2\n"},
    "duplicate_id@shapes.txt": {"trips": SHAPED, "shapes": f"{SHAPE}P,43.63,3.90,2\n"},
    "duplicate_sequence@stop_times.txt": _with("stop_times", "T1,S3,3", "T1,S3,2"),
    "unknown_agency@routes.txt": _with("routes", "R,A,", "R,Z,"),
    "missing_agency_id": {"agency": f"{AGENCY},Autre,https://b.example,Europe/Paris\n"},
    "unknown_route@trips.txt": _plus("trips", "T3,Nope,C"),
    "unknown_service@trips.txt": _with("trips", "T2,R,C", "T2,R,Nope"),
    "unknown_shape@trips.txt": {"trips": SHAPED.replace("C,P\nT2", "C,Q\nT2"), "shapes": SHAPE},
    "unknown_trip@stop_times.txt": _plus("stop_times", "T9,S1,1,09:00:00,09:00:00"),
    "unknown_trip@frequencies.txt": {"frequencies": f"{FREQUENCIES}T9,09:00:00,10:00:00,600\n"},
    "unknown_stop@stop_times.txt": _with("stop_times", "T1,S2,2", "T1,Gone,2"),
    "unknown_stop@transfers.txt": {"transfers": f"{TRANSFERS}S1,Nope,2,60\n"},
    "unknown_parent@stops.txt": _with("stops", "43.61,3.90,0,", "43.61,3.90,0,Nope"),
    "unnamed_route@routes.txt": _with("routes", "R,A,L1", "R,A,"),
    "unnamed_stop@stops.txt": _with("stops", "S2,Gare", "S2,"),
    "unknown_zone@agency.txt": _with("agency", "Europe/Paris", "Mars/Base"),
    "several_zones@agency.txt": _plus("agency", "B,Autre,https://b.example,Europe/London"),
    "calendar_ends_first@calendar.txt": _plus("calendar", "D,1,1,1,1,1,1,1,20281101,20261130"),
    "exception_type@calendar_dates.txt": {"calendar_dates": f"{DATES}C,20261225,7\n"},
    "idle_service": {**_plus("calendar", "I,0,0,0,0,0,0,0,20261101,20281130"),
                     **_with("trips", "T2,R,C", "T2,R,I")},
    "service_over@calendar.txt": _with("calendar", "20261101,20281130", "20251101,20251130"),
    "feed_expired@feed_info.txt": _with("feed_info", "20281130", "20261118"),
    "no_end_date@feed_info.txt": {"feed_info": INFO.replace("20281130", "")},
    "short_trip@stop_times.txt": {**_plus("trips", "T3,R,C"),
                                  **_plus("stop_times", "T3,S1,1,09:00:00,09:00:00")},
    "trip_without_times@trips.txt": _plus("trips", "T3,R,C"),
    "missing_end_time@stop_times.txt": _with("stop_times", "07:00:00,07:00:00", ","),
    "time_goes_back@stop_times.txt": _with("stop_times", "07:10:00,07:11:00", "06:10:00,06:11:00"),
    "frequency_window@frequencies.txt": {
        "frequencies": f"{FREQUENCIES}T1,10:00:00,09:00:00,600\n"},
    "block_overlap@trips.txt": {
        "trips": "trip_id,route_id,service_id,block_id\nT1,R,C,B\nT2,R,C,B\n",
        **_with("stop_times", "T2,S1,1,07:30:00,07:30:00", "T2,S1,1,07:20:00,07:20:00")},
    "unknown_trip@transfers.txt": {"transfers": "from_stop_id,to_stop_id,transfer_type,"
                                   "from_trip_id,to_trip_id\n,,4,T1,T9\n"},
    "fast_travel@trips.txt": _with("stops", "S3,Lycée,43.63", "S3,Lycée,45.63"),
    "near_origin@stops.txt": _with("stops", "S3,Lycée,43.63,3.90", "S3,Lycée,0.01,0.01"),
    "far_from_shape@stops.txt": {"trips": SHAPED, "shapes": SHAPE.replace("3.90", "3.95")},
    "unused_stop@stops.txt": _plus("stops", "S4,Loin,43.64,3.90,0,"),
    "unused_route@routes.txt": _plus("routes", "Q,A,L2,3"),
}  # fmt: skip


def write_fault(folder: Path, name: str) -> Path:
    """Write the feed with one fault; ``fine`` writes it without any."""
    tables = {**FINE, **FAULTS.get(name, {})}
    return zip_feed(folder / f"{name}.zip", **tables)
