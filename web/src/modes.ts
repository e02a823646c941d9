/** How a leg looks: its kind, its colours, its short name. */
import type { Leg } from "./api/client";

export type LegKind =
  | "walk"
  | "bike"
  | "car"
  | "carpool"
  | "bus"
  | "tram"
  | "subway"
  | "train"
  | "ferry"
  | "lift"
  | "other";

const KINDS: Record<string, LegKind> = {
  WALK: "walk",
  BIKE: "bike",
  RENTAL: "bike",
  CAR: "car",
  CAR_PARKING: "car",
  CAR_DROPOFF: "car",
  RIDE_SHARING: "carpool",
  BUS: "bus",
  COACH: "bus",
  ODM: "bus",
  FLEX: "bus",
  TRAM: "tram",
  SUBWAY: "subway",
  RAIL: "train",
  HIGHSPEED_RAIL: "train",
  LONG_DISTANCE: "train",
  NIGHT_RAIL: "train",
  REGIONAL_RAIL: "train",
  REGIONAL_FAST_RAIL: "train",
  SUBURBAN: "train",
  FERRY: "ferry",
  FUNICULAR: "lift",
  AERIAL_LIFT: "lift",
};

const COLOURS: Record<LegKind, string> = {
  walk: "#5b6b73",
  bike: "#3f7d20",
  car: "#5b6b73",
  carpool: "#f6b73c",
  bus: "#1c5fa8",
  tram: "#8a2a6b",
  subway: "#5a3fa0",
  train: "#3b3f8f",
  ferry: "#0b6e8a",
  lift: "#7a4b12",
  other: "#1c5fa8",
};

export const kindOf = (leg: Leg): LegKind => KINDS[leg.mode] ?? "other";

export const isStreet = (leg: Leg) => ["walk", "bike", "car"].includes(kindOf(leg));

/** Carpool keeps its own colour whatever the feed says, so that a rider learns it once. */
export function colourOf(leg: Leg): string {
  const kind = kindOf(leg);
  const given = leg.routeColor?.replace("#", "");
  return kind !== "carpool" && !isStreet(leg) && given?.match(/^[0-9a-f]{6}$/i) ? `#${given}` : COLOURS[kind];
}

/** The feed's text colour when it is readable on the line's colour, otherwise the better of two. */
export function textColourOf(leg: Leg): string {
  const background = colourOf(leg);
  const given = leg.routeTextColor?.replace("#", "");
  if (given?.match(/^[0-9a-f]{6}$/i) && contrast(`#${given}`, background) >= 4.5) return `#${given}`;
  return contrast("#ffffff", background) >= contrast("#14232b", background) ? "#ffffff" : "#14232b";
}

export const lineName = (leg: Leg) => leg.displayName || leg.routeShortName || leg.routeLongName || "";

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

/** Google's polyline encoding to GeoJSON order. */
export function decodePolyline(points: string, precision: number): [lon: number, lat: number][] {
  const scale = 10 ** -precision;
  const line: [number, number][] = [];
  let [at, lat, lon] = [0, 0, 0];
  const next = () => {
    let [shift, value, byte] = [0, 0, 0];
    do {
      byte = points.charCodeAt(at++) - 63;
      value += (byte & 0x1f) * 2 ** shift;
      shift += 5;
    } while (byte >= 0x20 && at < points.length);
    return value % 2 ? -(value + 1) / 2 : value / 2;
  };
  while (at < points.length) {
    lat += next();
    lon += next();
    line.push([lon * scale, lat * scale]);
  }
  return line;
}

/** The leg's line; a straight one when the server sent no geometry. */
export function lineOf(leg: Leg): [lon: number, lat: number][] {
  const line = decodePolyline(leg.legGeometry.points, leg.legGeometry.precision);
  if (line.length > 1) return line;
  return [
    [leg.from.lon, leg.from.lat],
    [leg.to.lon, leg.to.lat],
  ];
}
