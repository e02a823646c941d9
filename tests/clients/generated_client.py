"""
Ask every served operation through a client that openapi-python-client generated.

    python generated_client.py FOLDER BASE_URL    # FOLDER holds the package `motis`

Runs in the generator's own environment. Prints, by operation, the status and the type that the
answer was parsed into; an answer that cannot be parsed raises.
"""

from __future__ import annotations

import datetime as dt
import json
import sys

folder, base_url = sys.argv[1:3]
sys.path.insert(0, folder)

from motis import Client  # noqa: E402
from motis.api.default import health  # noqa: E402
from motis.api.geocode import geocode, reverse_geocode  # noqa: E402
from motis.api.map_ import initial, stops  # noqa: E402
from motis.api.routing import one_to_all, plan, plan_post  # noqa: E402
from motis.api.timetable import stoptimes, trip  # noqa: E402
from motis.models import Mode, PlanPostBody  # noqa: E402

START, END, STOP = "46.460909,1.038042", "46.58883,1.177209", "urbain:S002"
TIME = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)

client = Client(base_url=base_url, timeout=60)
ends = {"from_place": START, "to_place": END, "time": TIME}
# The document names the parameters of POST plan in words only, so the client cannot pass them.
asked = {"fromPlace": START, "toPlace": END, "time": TIME.isoformat()}
posting = Client(base_url=base_url, timeout=60, httpx_args={"params": asked})
planned = plan.sync_detailed(client=client, **ends)
rides = [
    leg.trip_id
    for itinerary in planned.parsed.itineraries
    for leg in itinerary.legs
    if leg.mode.value == "RIDE_SHARING"
]
board = stoptimes.sync_detailed(client=client, stop_id=STOP, time=TIME, n=10)
answers = {
    "plan": planned,
    "plan, every mode": plan.sync_detailed(
        client=client, **ends, direct_modes=[Mode.WALK, Mode.BIKE, Mode.CAR], max_direct_time=20_000
    ),
    "planPost": plan_post.sync_detailed(client=posting, body=PlanPostBody()),
    "stoptimes": board,
    "trip": trip.sync_detailed(client=client, trip_id=board.parsed.stop_times[0].trip_id),
    "trip of a ride": trip.sync_detailed(client=client, trip_id=rides[0]),
    "trip unknown": trip.sync_detailed(client=client, trip_id="20261124_urbain:none"),
    "geocode": geocode.sync_detailed(client=client, text="gare"),
    "reverseGeocode": reverse_geocode.sync_detailed(client=client, place=END),
    "initial": initial.sync_detailed(client=client),
    "stops": stops.sync_detailed(client=client, min_="46.4,1.0", max_="46.8,1.4"),
    "oneToAll": one_to_all.sync_detailed(client=client, one=STOP, time=TIME, max_travel_time=60),
    "health": health.sync_detailed(client=client),
}
told = {
    name: [answer.status_code, type(answer.parsed).__name__,
           len(answer.parsed) if isinstance(answer.parsed, list) else None]
    for name, answer in answers.items()
}  # fmt: skip
print(json.dumps(told))
