"""
A day on the demo, told through the API: from a wish to the rides that were rated.

It puts the clock of its server forward, so it needs a data directory of its own, where nobody else
waits for anything.
"""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from core.errors import Unavailable
from core.time import utc_now
from mobility.actions.run_demo import WEEKDAYS
from mobility.db.notices import RIDE_COMPLETED, list_events
from mobility.installation import opened_database
from mobility.settings import Settings

Say = Callable[[str], None]
Json = dict[str, Any]
WAIT_S, POLL_S = 10.0, 0.1
"""How long something may take that happens by itself."""
LATE_S = 2_700
FARM = {"lat": 46.460909, "lon": 1.038042}
HOSPITAL = {"lat": 46.58883, "lon": 1.177209}
DRIVER_LIVES = {"lat": 46.45002, "lon": 1.014756, "public": True}
DRIVER_WORKS = {"lat": 46.561005, "lon": 1.20775, "public": True}
ZONE = ZoneInfo("Europe/Paris")
"""Of the demo."""
STATION = "Bois-aux-Chèvres"
"""Where the driver passes, and a tram leaves for the hospital."""


class StoryClock:
    """A clock that somebody puts forward; between, it runs."""

    def __init__(self) -> None:
        self._ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        """Tell the time."""
        return utc_now() + self._ahead

    def put_to(self, at: dt.datetime) -> None:
        """Let it be a moment that is still to come."""
        assert at >= self(), "a clock is not put back"
        self._ahead += at - self()


@dataclass
class Caller:
    """Somebody with an app."""

    name: str
    http: httpx.Client
    calls: list[tuple[str, str]]
    """Methods and paths of everybody's requests in order, ids left out."""
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 — any JSON
        """Ask, and take the answer; raises `Unavailable` for a refusal."""
        call = method, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{}", path)
        if call not in self.calls[-1:]:  # asked again and again until it is there
            self.calls.append(call)
        answer = self.http.request(method, path, json=body, params=query, headers=self.headers)
        if answer.is_error:
            raise Unavailable(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    def own(self, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401
        """The same below /mobility/v1."""
        return self(method, f"/mobility/v1{path}", body, **query)


@dataclass
class Story:
    """The people of the story, and what they have in hand."""

    settings: Settings
    clock: StoryClock
    http: httpx.Client
    say: Say
    calls: list[tuple[str, str]] = field(default_factory=list)

    def tell(self) -> None:
        """Tell it all; raises `Unavailable` where the service does something else."""
        rosa, denis, paul = map(self._person, ("Rosa", "Denis", "Paul"))
        day = self._next_tuesday()
        station = self._place(rosa, STATION)
        wish = self._wish(rosa, station, day)
        offer = self._offer(denis, day)
        self._both_told(rosa, denis, wish, offer)
        booked = self._book(rosa, offer, FARM, HOSPITAL, day)
        other = self._book(paul, offer, FARM, station, day)
        ride = booked["ride_id"]
        self.clock.put_to(_at(booked["pickup_from"]) - dt.timedelta(minutes=25))
        self._late(denis, ride)
        taken = self._plan_b(rosa, booked)
        self._drive(denis, paul, ride, other)
        self._rate(denis, paul, ride, other)
        self._usage(other)
        self._series(denis, paul, station, day + dt.timedelta(days=7))
        for booking in taken:
            rosa.own("POST", f"/bookings/{booking['id']}/cancel")
        denis.own("DELETE", f"/offers/{offer['id']}")
        rosa.own("DELETE", f"/wishes/{wish['id']}")

    def _person(self, name: str) -> Caller:
        who, number = Caller(name, self.http, self.calls), uuid.uuid4().hex
        signs_in = {"email": f"{name.lower()}-{number[:8]}@demo.invalid", "password": number}
        who.own("POST", "/users", {**signs_in, "alias": f"{name}-{number[:4]}"})
        secret = who.own("POST", "/sessions", {**signs_in, "label": "app"})["secret"]
        who.headers["authorization"] = f"Bearer {secret}"
        self.say(f"{name} registers and signs in.")
        return who

    def _next_tuesday(self) -> dt.date:
        today = self.clock().date()
        return today + dt.timedelta(days=(WEEKDAYS.index("tue") - today.weekday() - 2) % 7 + 2)

    def _place(self, who: Caller, text: str) -> Json:
        found = who("GET", "/api/v1/geocode", text=text, language="fr")[0]
        return {"lat": found["lat"], "lon": found["lon"]}

    def _wish(self, rosa: Caller, station: Json, day: dt.date) -> Json:
        times = {"leave_from": "05:45", "arrive_by": "07:00"}
        days = {"valid_from": day.isoformat(), "valid_to": day.isoformat()}
        wish: Json = rosa.own(
            "POST", "/wishes", {"start": FARM, "end": station, "out": times, **days}
        )
        self.say(f"Rosa looks for a drive from the farm to {STATION} on {day:%A %d %B}, by 07:00.")
        return wish

    def _offer(self, denis: Caller, day: dt.date) -> Json:
        offer = self._publish(denis, day, day)
        self.say(
            f"Denis offers three seats at 05:50 ({offer['drive_s'] // 60} min to work, at most 10 "
            f"more; {offer['point_count']} meeting points are within that)."
        )
        return offer

    def _publish(self, denis: Caller, first: dt.date, last: dt.date, **more: object) -> Json:
        offer: Json = denis.own(
            "POST", "/offers",
            {
                "start": DRIVER_LIVES, "end": DRIVER_WORKS, "depart_from": "05:50",
                "depart_to": "05:55", "valid_from": first.isoformat(),
                "valid_to": last.isoformat(), "seats": 3, "detour_budget_s": 600, **more,
            },
        )  # fmt: skip
        return offer

    def _both_told(self, rosa: Caller, denis: Caller, wish: Json, offer: Json) -> None:
        told = self._told(rosa, "wish_matched", lambda c: offer["id"] in str(c["offers"]))
        match = next(m for m in told["offers"] if m["offer_id"] == offer["id"])
        self.say(
            f"Rosa is told: picked up at {match['pickup_at']} at {match['pickup_point']}, "
            f"at her end by {match['arrival_at']}."
        )
        rosa.own("GET", f"/wishes/{wish['id']}/matches")
        self._told(denis, "offer_wanted", lambda c: c["offer_id"] == offer["id"])
        self.say("Denis is told that somebody looks for a drive like his, not who nor where.")

    def _find(self, who: Caller, offer: Json, start: Json, end: Json, day: dt.date) -> Json:
        """An itinerary with an offer, once the search has it."""

        def found() -> Json | None:
            answer = who(
                "GET", "/api/v6/plan", fromPlace="{lat},{lon}".format(**start),
                toPlace="{lat},{lon}".format(**end), time=f"{day}T05:45:00", searchWindow="1800",
            )  # fmt: skip
            rides = (it for it in answer["itineraries"] if offer["id"] in _offers_of(it))
            return next(rides, None)

        return _awaited(found, "the offer in the search")

    def _book(self, who: Caller, offer: Json, start: Json, end: Json, day: dt.date) -> Json:
        itinerary = self._find(who, offer, start, end, day)
        (quote,) = _quotes_of(itinerary)
        wanted = {"quotes": [quote], "confirm": True, "journey": {"start": start, "end": end}}
        booking: Json = who.own("POST", "/bookings", wanted)[0]
        after = [leg for leg in itinerary["legs"] if leg["mode"] not in ("WALK", "RIDE_SHARING")]
        onward = "".join(
            f", then the {leg['mode'].lower()} at {_clock(leg['startTime'])}" for leg in after
        )
        self.say(
            f"{who.name} books: the car comes {_clock(booking['pickup_from'])}–"
            f"{_clock(booking['pickup_to'])}, there by {_clock(booking['dropoff_by'])}{onward}. "
            f"State {booking['state']}, code {booking['code']}."
        )
        for name, way in booking["fallback"].items():
            self.say(f"  {'plan B' if name == 'plan_b' else 'last way home'}: {_way(way)}")
        return booking

    def _late(self, denis: Caller, ride: str) -> None:
        driven = denis.own("GET", f"/rides/{ride}")
        denis.own("POST", f"/rides/{ride}/late", {"late_s": LATE_S})
        names = ", ".join(passenger["rider"] for passenger in driven["passengers"])
        self.say(f"25 minutes before, Denis says: {LATE_S // 60} min late. With him go: {names}.")

    def _plan_b(self, rosa: Caller, booked: Json) -> list[Json]:
        self._told(rosa, "booking_propose_change", lambda c: c["booking_id"] == booked["id"])
        now = rosa.own("GET", f"/bookings/{booked['id']}")
        self.say(
            f"Rosa is told: {now['state']}. She was to be there by {_clock(booked['dropoff_by'])}, "
            "and would miss what she takes next."
        )
        shown = rosa.own("GET", f"/bookings/{booked['id']}/plan-b")["itinerary"]
        self.say(f"Plan B: {_told_legs(shown)}.")
        taken = rosa.own("POST", f"/bookings/{booked['id']}/take-plan-b")
        self.say(f"She takes it in one tap; booked with it: {len(taken['bookings'])} ride(s).")
        return list(taken["bookings"])

    def _drive(self, denis: Caller, paul: Caller, ride: str, booked: Json) -> None:
        passenger = f"/rides/{ride}/passengers/{booked['id']}"
        paul.own("POST", f"/bookings/{booked['id']}/accept-change")
        self.say("Paul stays: he has time.")
        late = dt.timedelta(seconds=LATE_S)
        denis.own("POST", f"/rides/{ride}/start")
        self.clock.put_to(_at(booked["pickup_from"]) + late)
        denis.own("POST", f"{passenger}/board", {"code": booked["code"]})
        self.clock.put_to(_at(booked["dropoff_by"]) + late)
        denis.own("POST", f"{passenger}/alight")
        state = paul.own("GET", f"/bookings/{booked['id']}")["state"]
        self.say(f"Denis lets Paul in by his code {booked['code']}, and out: {state}.")

    def _rate(self, denis: Caller, paul: Caller, ride: str, booked: Json) -> None:
        paul.own(
            "POST", f"/bookings/{booked['id']}/rate", {"stars": 4, "comment": "En retard, mais là"}
        )
        before = denis.own("GET", "/ratings")["count"]
        denis.own("POST", f"/rides/{ride}/passengers/{booked['id']}/rate", {"stars": 5})
        after = denis.own("GET", "/ratings")
        if after["count"] != before + 1:
            raise Unavailable("a rating is shown when both are given, and not before")
        self.say(
            "Paul rates, and Denis does not see it until he has rated, too: "
            f"now {after['stars']} of 5 by {after['count']}."
        )

    def _usage(self, booked: Json) -> None:
        with opened_database(self.settings) as engine, engine.connect() as connection:
            events = list_events(connection, uuid.UUID(booked["id"]))
        (event,) = (content for kind, content in events if kind == RIDE_COMPLETED)
        self.say(
            f"For billing there is one event {RIDE_COMPLETED}: {event['seats']} seat, "
            f"{event['price_cents']} cents {event['currency']}."
        )

    def _series(self, denis: Caller, paul: Caller, station: Json, first: dt.date) -> None:
        last, days = first + dt.timedelta(days=13), ["tue", "thu"]
        asks = {"acceptance": "ask", "weekdays": ["mon", "tue", "wed", "thu"]}
        gone = (first + dt.timedelta(days=9)).isoformat()
        offer = self._publish(denis, first, last, except_dates=[gone], **asks)
        itinerary = self._find(paul, offer, FARM, station, first)
        wanted = {"out": _quotes_of(itinerary), "weekdays": days, "until": last.isoformat()}
        series = paul.own("POST", "/series", wanted)
        said = ", ".join(
            f"{date['date']} {date['reason'] or date['answer']}" for date in series["dates"]
        )
        self.say(f"Paul books two weeks in one act, each date answered: {said}.")
        denis.own("GET", "/passenger-series")
        answer = denis.own("POST", f"/passenger-series/{series['id']}/accept")
        self.say(f"Denis accepts {answer['done']} dates in one act.")
        paul.own("GET", f"/series/{series['id']}")
        paul.own("DELETE", f"/series/{series['id']}")
        denis.own("DELETE", f"/offers/{offer['id']}")

    def _told(self, who: Caller, kind: str, is_it: Callable[[Json], bool]) -> Json:
        """What somebody is told, once he is."""

        def found() -> Json | None:
            told = who.own("GET", "/notices")
            own = (n["content"] for n in told if n["kind"] == kind)
            return next(filter(is_it, own), None)

        return _awaited(found, f"{kind} for {who.name}")


def _awaited(found: Callable[[], Json | None], what: str) -> Json:
    """What is there within some seconds; raises `Unavailable`."""
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        there = found()
        if there is not None:
            return there
        time.sleep(POLL_S)
    raise Unavailable(f"not there after {WAIT_S:.0f} s: {what}")


def _offers_of(itinerary: Json) -> set[str]:
    return {leg.get("mobility", {}).get("offer_id") for leg in itinerary["legs"]}


def _quotes_of(itinerary: Json) -> list[str]:
    own = (leg.get("mobility", {}) for leg in itinerary["legs"])
    return [leg["quote"] for leg in own if "quote" in leg]


def _told_legs(itinerary: Json | None) -> str:
    if itinerary is None:
        return "there is none"
    return ", ".join(
        f"{_clock(leg['startTime'])} {leg['mode'].lower()} to {leg['to']['name']}, "
        f"there {_clock(leg['endTime'])}"
        for leg in itinerary["legs"]
    )


def _way(way: Json | None) -> str:
    if way is None:
        return "none"
    return f"leaves {_clock(way['leave_at'])}, arrives {_clock(way['arrive_at'])} ({way['family']})"


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _clock(text: str) -> str:
    return f"{_at(text).astimezone(ZONE):%H:%M}"
