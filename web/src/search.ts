/** What the rider asks for, and its form in the address bar: every state of the page has a URL. */
import type { Example, Need, PlanQuery, Territory } from "./api/client";
import { addDays, localDate, toInstant } from "./time";

/** A place as the planner takes it: a stop id or "lat,lon", with the name the rider saw. */
export type PlaceRef = { name: string; value: string };

export type TimeKind = "now" | "depart" | "arrive";

export type Search = {
  from: PlaceRef | null;
  to: PlaceRef | null;
  kind: TimeKind;
  /** Local wall time in the territory, "2026-09-08T07:00"; empty when `kind` is "now". */
  time: string;
  riders: number;
  carpool: boolean;
  /** What a driver's car has to take. */
  needs: Need[];
  /** An audience, or a community's id; empty for everyone. */
  among: string;
};

export const NEEDS: Need[] = ["small_luggage", "large_luggage", "bike", "child_seat", "wheelchair"];

export const MAX_RIDERS = 8;
export const EMPTY_SEARCH: Search = {
  from: null,
  to: null,
  kind: "now",
  time: "",
  riders: 1,
  carpool: true,
  needs: [],
  among: "",
};

/** Every transit mode but RIDE_SHARING, which `TRANSIT` would include. */
const WITHOUT_CARPOOL =
  "TRAM,SUBWAY,FERRY,AIRPLANE,BUS,COACH,RAIL,SUBURBAN,REGIONAL_RAIL,LONG_DISTANCE,HIGHSPEED_RAIL,NIGHT_RAIL,FUNICULAR,AERIAL_LIFT,ODM,OTHER";

const COORDINATES = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/;

export function parseCoordinates(text: string): [lat: number, lon: number] | null {
  const found = COORDINATES.exec(text);
  if (!found) return null;
  const [lat, lon] = [Number(found[1]), Number(found[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lat, lon] : null;
}

const SEPARATOR = "::";

function readPlace(text: string | null): PlaceRef | null {
  if (!text) return null;
  const at = text.lastIndexOf(SEPARATOR);
  if (at < 0) return { name: text, value: text };
  return { name: text.slice(0, at), value: text.slice(at + SEPARATOR.length) };
}

const writePlace = ({ name, value }: PlaceRef) => (name === value ? value : name + SEPARATOR + value);

export function readSearch(query: string): Search {
  const params = new URLSearchParams(query);
  const time = params.get("time") ?? "";
  const timed = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(time);
  const riders = Number(params.get("n") ?? 1);
  return {
    from: readPlace(params.get("from")),
    to: readPlace(params.get("to")),
    kind: !timed ? "now" : params.get("arriveBy") === "true" ? "arrive" : "depart",
    time: timed ? time : "",
    riders: Number.isInteger(riders) ? Math.min(Math.max(riders, 1), MAX_RIDERS) : 1,
    carpool: params.get("carpool") !== "false",
    needs: NEEDS.filter((need) => params.get("needs")?.split(",").includes(need)),
    among: params.get("among") ?? "",
  };
}

/** The search, one's own trips, or what agents do for people who have only a telephone. */
export type View = "search" | "trips" | "agent";

export const readView = (query: string): View =>
  (["trips", "agent"] as const).find((view) => new URLSearchParams(query).get(view) === "1") ?? "search";

/** The search stays in the address of the other views: the way back leads to it. */
export function writeSearch(search: Search, language: string, view: View = "search"): string {
  const params = new URLSearchParams();
  if (search.from) params.set("from", writePlace(search.from));
  if (search.to) params.set("to", writePlace(search.to));
  if (search.kind !== "now") params.set("time", search.time);
  if (search.kind === "arrive") params.set("arriveBy", "true");
  if (search.riders > 1) params.set("n", String(search.riders));
  if (!search.carpool) params.set("carpool", "false");
  if (search.needs.length) params.set("needs", search.needs.join());
  if (search.among) params.set("among", search.among);
  if (view !== "search") params.set(view, "1");
  if (language !== "fr") params.set("lang", language);
  const text = params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `?${text}` : "";
}

export function toPlanQuery(search: Search, timezone: string, asked: Date): PlanQuery {
  const time = search.kind === "now" ? asked : toInstant(search.time, timezone);
  return {
    fromPlace: search.from?.value ?? "",
    toPlace: search.to?.value ?? "",
    time: `${time.toISOString().slice(0, 16)}:00Z`,
    arriveBy: search.kind === "arrive",
    passengers: search.riders,
    numItineraries: 5,
    detailedLegs: true,
    transitModes: search.carpool ? "TRANSIT" : WITHOUT_CARPOOL,
    carpoolNeeds: search.needs.join() || undefined,
    carpoolAudience: search.among || undefined,
  };
}

const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The example's first day from today on which every feed is valid, or the first from today. */
export function fromExample(example: Example, territory: Territory, now: Date): Search {
  const today = localDate(now, territory.timezone);
  const starts = territory.feeds.map((feed) => feed.valid_from ?? today);
  const ends = territory.feeds.flatMap((feed) => feed.valid_to ?? []);
  const first = [today, ...starts].sort().at(-1)!;
  const last = ends.sort()[0] ?? "9999";
  const wanted = WEEKDAYS.indexOf(example.weekday);
  const next = (day: string) => addDays(day, (wanted - new Date(`${day}T00:00Z`).getUTCDay() + 7) % 7);
  let day = next(first);
  if (day > last) day = next(addDays(last, -6));
  const point = (place: Example["from"]) => ({ name: place.name, value: `${place.lat},${place.lon}` });
  return {
    ...EMPTY_SEARCH,
    from: point(example.from),
    to: point(example.to),
    kind: "depart",
    time: `${day}T${example.depart}`,
  };
}
