"""
Pick-ups and drop-offs of found journeys, bettered on all points that a driver can serve.

The search looks at some points of each offer. What it finds stays; a first ride is boarded and a
last one left where that suits the rider best, on any of the offer's points. Between such a ride and
a vehicle, the rider changes at any of the vehicle's stops.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.jit import kernel
from gtfs_data.enums import CAN_ALIGHT, CAN_BOARD
from gtfs_data.store import frozen
from gtfs_data.throughs import calls_of_ride
from gtfs_data.timetable import Timetable
from routing.raptor.door_ends import NO_DOORS, Doors
from routing.raptor.flexible import (
    FROM_START_S,
    IN_SEGMENT,
    MEETING_POINT,
    TO_END_S,
    FlexibleBodies,
    Rides,
)
from routing.raptor.labels import FAR
from routing.raptor.unroll import RawJourney, RawRide, RawVehicle, Reach
from routing.street.kernels import Walks

Int32 = npt.NDArray[np.int32]
NO_PAIR = -1
DOOR_COUNT = 2
"""Beside the meeting points: the origin's door and the destination's, see `Doors`."""


@dataclass(frozen=True, slots=True)
class NearerPoints:
    """What bettering rides reads of one search."""

    bodies: FlexibleBodies
    rides: Rides
    drive_s: npt.NDArray[np.uint16]
    walks: Walks
    """Between stops and meeting points, in forward order."""
    walks_back: Walks
    change_s: Int32
    access_s: Int32
    """
    Shape (point_count + 2,): walks from the origin to meeting points and, last, the two doors, as
    all that stands at points here; see `end_walks`.
    """
    egress_s: Int32
    stop_s: int
    stop_count: int
    arrive_by: bool
    timetable: Timetable | None
    """None where one changes at no other stops than those found."""
    doors: Doors = NO_DOORS

    def better(self, journey: RawJourney) -> RawJourney:
        """
        The same rides and vehicles, leaving no earlier and arriving no later than before.

        A first ride leaves as late as its driver and what follows allow; a last one arrives as
        early as it can; a ride all the way does what the search was asked for.
        """
        legs = journey.legs
        if len(legs) == 1 and isinstance(legs[0], RawRide):
            until_s = journey.end_s if self.arrive_by else FAR
            return self._with_ride(journey, 0, journey.start_s, until_s)
        if isinstance(legs[0], RawRide):
            journey = self._with_ride(journey, 0, journey.start_s, legs[1].start_s)
        if isinstance(legs[-1], RawRide):
            journey = self._with_ride(journey, len(legs) - 1, legs[-2].end_s, FAR)
        if self.timetable is not None and len(legs) > 1:
            journey = self._boarded_elsewhere(self.timetable, journey)
            journey = self._left_elsewhere(self.timetable, journey)
        return journey

    def _left_elsewhere(self, timetable: Timetable, journey: RawJourney) -> RawJourney:
        """The journey, the vehicle before a last ride left where that leads to the soonest end."""
        *before, vehicle, ride = journey.legs
        if not (isinstance(vehicle, RawVehicle) and isinstance(ride, RawRide)):
            return journey
        calls = calls_of_ride(timetable, vehicle.trip)
        own_s = calls.arrival_s[vehicle.alight_position]
        arrive_s = calls.arrival_s + np.int32(vehicle.end_s - own_s)
        able = calls.flag & CAN_ALIGHT > 0
        able[: vehicle.board_position + 1] = False
        change_s = self.change_s[calls.stop]
        at_s, position = self._around(calls.stop, able, arrive_s + change_s, self.walks)
        found = self._best(ride, at_s, self.egress_s, 0, FAR)
        if found is None or found.end_s + self._seconds(self.egress_s, found.alight_node) >= (
            journey.end_s
        ):
            return journey
        call = int(position[found.board_node - self.stop_count])
        left = vehicle._replace(
            alight_node=int(calls.stop[call]),
            end_s=int(arrive_s[call]),
            alight_position=call,
        )
        there_s = self._seconds(at_s, found.board_node)
        return journey._replace(
            legs=(*before, left, found),
            walk_s=(*journey.walk_s[:-1], there_s - left.end_s - int(change_s[call])),
            egress_s=self._seconds(self.egress_s, found.alight_node),
        )

    def _boarded_elsewhere(self, timetable: Timetable, journey: RawJourney) -> RawJourney:
        """The journey, the vehicle after a first ride boarded where one may start latest."""
        ride, vehicle, *then = journey.legs
        if not (isinstance(vehicle, RawVehicle) and isinstance(ride, RawRide)):
            return journey
        calls = calls_of_ride(timetable, vehicle.trip)
        own_s = calls.departure_s[vehicle.board_position]
        depart_s = calls.departure_s + np.int32(vehicle.start_s - own_s)
        able = calls.flag & CAN_BOARD > 0
        able[vehicle.alight_position :] = False
        change_s = self.change_s[ride.alight_node]
        before_s, position = self._around(calls.stop, able, change_s - depart_s, self.walks_back)
        found = self._best(ride, self.access_s, before_s, journey.start_s, 0)
        if found is None or found.start_s - self._seconds(self.access_s, found.board_node) <= (
            journey.start_s
        ):
            return journey
        call = int(position[found.alight_node - self.stop_count])
        boarded = vehicle._replace(
            board_node=int(calls.stop[call]),
            start_s=int(depart_s[call]),
            board_position=call,
        )
        walk_s = self._seconds(before_s, found.alight_node) + boarded.start_s - int(change_s)
        return journey._replace(
            access_s=self._seconds(self.access_s, found.board_node),
            legs=(found, boarded, *then),
            walk_s=(walk_s, *journey.walk_s[1:]),
        )

    def _around(
        self, stop: Int32, able: npt.NDArray[np.bool_], at_s: Int32, walks: Walks
    ) -> tuple[Int32, Int32]:
        """Least time at each meeting point from a vehicle's calls, and from which of them."""
        return _reach_points(stop, able, at_s, walks, self.stop_count, self._place_count)

    @property
    def _place_count(self) -> int:
        return len(self.drive_s) + DOOR_COUNT

    def _seconds(self, at_s: Int32, node: int) -> int:
        """What stands for a meeting point, by its node."""
        return int(at_s[node - self.stop_count])

    def _best(
        self, ride: RawRide, before_s: Int32, after_s: Int32, from_s: int, until_s: int
    ) -> RawRide | None:
        """The ride from where it is best boarded to where it is best left, see `_best_pair`."""
        bodies, rides = self.bodies, self.rides
        body = int(rides.body[ride.ride])
        low, high = bodies.first_candidate[body : body + 2].tolist()
        own, at_doors = bodies.candidates[low:high], self.doors.candidates(bodies.candidates, body)
        if at_doors[1]:
            own = frozen(np.concatenate([own, at_doors[0]]))  # as the kernel was compiled
        pickup, dropoff, start_s, drive_s = _best_pair(
            own, int(bodies.solo_s[body]), int(bodies.budget_s[body]),
            int(rides.earliest_s[ride.ride]), int(rides.latest_s[ride.ride]), self.drive_s,
            *self.doors.drives(), before_s, after_s, from_s, until_s, self.stop_s,
        )  # fmt: skip
        if pickup == NO_PAIR:
            return None
        nodes = (self.stop_count + own[[pickup, dropoff], MEETING_POINT].astype(int)).tolist()
        pickup, dropoff = (
            low + row if row < high - low else at_doors[1][row - high + low]
            for row in (pickup, dropoff)
        )
        return RawRide(
            board_node=nodes[0],
            alight_node=nodes[1],
            start_s=start_s,
            end_s=start_s + self.stop_s + drive_s,
            ride=ride.ride,
            pickup=pickup,
            dropoff=dropoff,
        )

    def _with_ride(self, journey: RawJourney, at: int, from_s: int, until_s: int) -> RawJourney:
        """The journey with its ride at a position taken where that is best, if this is better."""
        legs, last = journey.legs, len(journey.legs) - 1
        ride = legs[at]
        assert isinstance(ride, RawRide)
        before_change_s = 0 if at == 0 else int(self.change_s[legs[at - 1].alight_node])
        after_change_s = 0 if at == last else int(self.change_s[ride.alight_node])
        before_s = (
            self.access_s
            if at == 0
            else self._on_foot(self.walks, legs[at - 1].alight_node, before_change_s)
        )
        after_s = (
            self.egress_s
            if at == last
            else self._on_foot(self.walks_back, legs[at + 1].board_node, after_change_s)
        )
        moved = self._best(ride, before_s, after_s, from_s, until_s)
        if moved is None:
            return journey
        walks_s = [journey.access_s, *journey.walk_s, journey.egress_s]
        walks_s[at] = self._seconds(before_s, moved.board_node) - before_change_s
        walks_s[at + 1] = self._seconds(after_s, moved.alight_node) - after_change_s
        changed = journey._replace(
            access_s=walks_s[0],
            legs=(*legs[:at], moved, *legs[at + 1 :]),
            walk_s=tuple(walks_s[1:-1]),
            egress_s=walks_s[-1],
        )
        gains_s = changed.start_s - journey.start_s, journey.end_s - changed.end_s
        return changed if min(gains_s) >= 0 and max(gains_s) > 0 else journey

    def _on_foot(self, walks: Walks, stop: int, change_s: int) -> Int32:
        own = slice(int(walks.first[stop]), int(walks.first[stop + 1]))
        to, seconds = walks.to[own], walks.seconds[own] + np.int32(change_s)
        return at_points(to, seconds, self.stop_count, self._place_count)


def end_walks(
    access: Reach, egress: Reach, doors: Doors, stop_count: int, drive_s: npt.NDArray[np.uint16]
) -> tuple[Int32, Int32]:
    """Walks from the origin to meeting points and its door, and from these to the destination."""
    walks_s = []
    for reach, end, row in ((access, doors.origin, -2), (egress, doors.destination, -1)):
        at_s = at_points(reach.node, reach.seconds, stop_count, len(drive_s) + DOOR_COUNT)
        if end is not None:
            at_s[row] = end.walk_s
        walks_s.append(at_s)
    return walks_s[0], walks_s[1]


def at_points(node: Int32, seconds: Int32, stop_count: int, point_count: int) -> Int32:
    """Seconds at the meeting points among nodes, shape (point_count,); `FAR` at all others."""
    at_s = np.full(point_count, FAR, np.int32)
    points = node >= stop_count
    np.minimum.at(at_s, node[points] - stop_count, seconds[points])
    return at_s


@kernel
def _reach_points(
    stop: Int32,
    able: npt.NDArray[np.bool_],
    at_s: Int32,
    walks: Walks,
    stop_count: int,
    point_count: int,
) -> tuple[Int32, Int32]:
    """
    Least time at each meeting point, and the call that it comes from; `FAR` where none does.

    Parameters
    ----------
    stop, able, at_s
        Shape (call_count,): calls of a vehicle, whether one may change there, and from which time
        one walks on.
    """
    best_s = np.full(point_count, FAR, np.int32)
    call = np.zeros(point_count, np.int32)
    for i in range(len(stop)):
        if not able[i]:
            continue
        for row in range(walks.first[stop[i]], walks.first[stop[i] + 1]):
            point = walks.to[row] - stop_count
            if point >= 0 and at_s[i] + walks.seconds[row] < best_s[point]:
                best_s[point], call[point] = at_s[i] + walks.seconds[row], i
    return best_s, call


@kernel
def _best_pair(
    candidates: npt.NDArray[np.uint16],
    solo_s: int,
    budget_s: int,
    earliest_s: int,
    latest_s: int,
    matrix: npt.NDArray[np.uint16],
    door_from_s: Int32,
    door_to_s: Int32,
    before_s: Int32,
    after_s: Int32,
    from_s: int,
    until_s: int,
    stop_s: int,
) -> tuple[int, int, int, int]:
    """
    Where a ride is best boarded and left: rows of both, time at the pickup, and drive.

    `NO_PAIR` where nothing fits.

    Parameters
    ----------
    candidates, solo_s, budget_s, earliest_s, latest_s
        Of the ride, see `FlexibleBodies` and `Rides`.
    door_from_s, door_to_s
        See `Doors.drives`; read where a candidate is a door.
    before_s, after_s
        Shape (point_count + 2,): seconds from where one comes from to each point or door, and from
        it on; `FAR` where one does not walk.
    from_s
        Time from which one walks. With `until_s` at `FAR` the soonest end is wanted, and of those
        the latest start; else the latest start that ends by then.
    """
    own, most_s = candidates.astype(np.int32), solo_s + budget_s
    point, from_start_s, to_end_s = own[:, MEETING_POINT], own[:, FROM_START_S], own[:, TO_END_S]
    segment = own[:, IN_SEGMENT]
    dropoffs, count = np.empty(len(own), np.int32), 0
    for dropoff in range(len(own)):
        if after_s[point[dropoff]] < FAR:
            dropoffs[count] = dropoff
            count += 1
    best, best_s = (NO_PAIR, NO_PAIR, 0, 0), (-FAR, -FAR)
    for pickup in range(len(own)):
        walk_s = np.int64(before_s[point[pickup]])
        if walk_s >= FAR:
            continue
        here, passes_s = point[pickup], from_start_s[pickup]
        first_s = max(np.int64(from_s) + walk_s, np.int64(earliest_s + passes_s))
        last_s, left_s = np.int64(latest_s + passes_s), most_s - passes_s
        # Neither is better than without any drive.
        if first_s > last_s or (until_s < FAR and last_s - walk_s < best_s[0]):
            continue
        for dropoff in dropoffs[:count]:
            there, legs = point[dropoff], segment[dropoff] - segment[pickup]
            onward_s = stop_s + np.int64(after_s[there])
            if here == there or legs < 0 or (until_s >= FAR and -(first_s + onward_s) < best_s[0]):
                continue
            if here >= len(matrix):
                drive_s = np.int64(door_from_s[there])
            elif there >= len(matrix):
                drive_s = np.int64(door_to_s[here])
            else:
                drive_s = np.int64(matrix[here, there])
            if legs > 0:  # through the driver's own stops between
                drive_s = np.int64(to_end_s[pickup]) + from_start_s[dropoff] - solo_s
            if drive_s + to_end_s[dropoff] > left_s:
                continue
            rest_s = onward_s + drive_s
            if until_s >= FAR:
                start_s = first_s
                value_s = (-int(start_s + rest_s), int(start_s - walk_s))
            else:
                start_s = min(np.int64(until_s) - rest_s, last_s)
                value_s = (int(start_s - walk_s), -int(start_s + rest_s))
            if start_s >= first_s and value_s > best_s:
                best, best_s = (pickup, dropoff, int(start_s), int(drive_s)), value_s
    return best
