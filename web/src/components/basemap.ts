/** A calm base map from one GeoJSON document: no tiles, no glyphs, no third party. */
import type { ExpressionSpecification, StyleSpecification } from "maplibre-gl";

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

const LIGHT = {
  land: "#e8eeeb",
  water: "#c3dbe4",
  road: "#ffffff",
  edge: "#bfccc7",
  major: "#fff1cc",
  path: "#c9d2cd",
  halo: "#ffffff",
  faint: "#5b6b73",
};
const DARK = {
  land: "#16211f",
  water: "#0f313c",
  road: "#364847",
  edge: "#0d1413",
  major: "#55624f",
  path: "#26322f",
  halo: "#0c1413",
  faint: "#93a5a8",
};

const byClass = (
  motorway: number,
  primary: number,
  secondary: number,
  minor: number,
): ExpressionSpecification => [
  "match",
  ["get", "class"],
  ["motorway", "trunk"],
  motorway,
  "primary",
  primary,
  ["secondary", "tertiary"],
  secondary,
  minor,
];

const width = (extra: number): ExpressionSpecification => [
  "interpolate",
  ["exponential", 1.5],
  ["zoom"],
  8,
  byClass(2 + extra / 2, 1.6 + extra / 2, 1 + extra / 3, 0.1),
  12,
  byClass(4.5 + extra, 3.6 + extra, 2.4 + extra, 1 + extra / 2),
  16,
  byClass(13 + extra, 11 + extra, 9 + extra, 6 + extra),
];

const kind = (wanted: string): ExpressionSpecification => ["==", ["get", "kind"], wanted];
const polygons: ExpressionSpecification = ["==", ["geometry-type"], "Polygon"];
const paths: ExpressionSpecification = ["==", ["get", "class"], "path"];
const round = { "line-cap": "round", "line-join": "round" } as const;

export function buildStyle(
  dark: boolean,
  basemap: GeoJSON.FeatureCollection | undefined,
  lines: GeoJSON.FeatureCollection,
): StyleSpecification {
  const colour = dark ? DARK : LIGHT;
  const roads: ExpressionSpecification = ["all", kind("road"), ["!", paths]];
  const isStreet: ExpressionSpecification = ["get", "street"];
  const lit: ExpressionSpecification = ["get", "lit"];
  return {
    version: 8,
    sources: {
      base: { type: "geojson", data: basemap ?? EMPTY, tolerance: 0.6 },
      lines: { type: "geojson", data: lines },
    },
    layers: [
      { id: "land", type: "background", paint: { "background-color": colour.land } },
      {
        id: "water",
        type: "fill",
        source: "base",
        filter: ["all", kind("water"), polygons],
        paint: { "fill-color": colour.water },
      },
      {
        id: "rivers",
        type: "line",
        source: "base",
        filter: ["all", kind("water"), ["!", polygons]],
        layout: round,
        paint: {
          "line-color": colour.water,
          "line-width": ["interpolate", ["linear"], ["zoom"], 8, 1, 14, 5],
        },
      },
      {
        id: "paths",
        type: "line",
        source: "base",
        minzoom: 13,
        filter: ["all", kind("road"), paths],
        layout: round,
        paint: { "line-color": colour.path, "line-width": 1.4, "line-dasharray": [2, 1.6] },
      },
      {
        id: "road-edges",
        type: "line",
        source: "base",
        filter: roads,
        layout: round,
        paint: { "line-color": colour.edge, "line-width": width(1.6) },
      },
      {
        id: "roads",
        type: "line",
        source: "base",
        filter: roads,
        layout: { ...round, "line-sort-key": byClass(4, 3, 2, 1) },
        paint: {
          "line-color": [
            "match",
            ["get", "class"],
            ["motorway", "trunk", "primary"],
            colour.major,
            colour.road,
          ],
          "line-width": width(0),
        },
      },
      {
        id: "other-options",
        type: "line",
        source: "lines",
        filter: ["!", ["get", "selected"]],
        layout: round,
        paint: {
          "line-color": colour.faint,
          "line-width": ["case", ["get", "hovered"], 5, 3],
          "line-opacity": ["case", ["get", "hovered"], 0.9, 0.35],
        },
      },
      {
        id: "selected-halo",
        type: "line",
        source: "lines",
        filter: ["all", ["get", "selected"], ["!", isStreet]],
        layout: round,
        paint: { "line-color": colour.halo, "line-width": ["case", lit, 14, 10] },
      },
      {
        id: "selected-ridden",
        type: "line",
        source: "lines",
        filter: ["all", ["get", "selected"], ["!", isStreet]],
        layout: round,
        paint: { "line-color": ["get", "colour"], "line-width": ["case", lit, 9, 6] },
      },
      {
        id: "selected-street",
        type: "line",
        source: "lines",
        filter: ["all", ["get", "selected"], isStreet],
        layout: round,
        paint: {
          "line-color": dark ? "#d5dfe0" : "#37474f",
          "line-width": ["case", lit, 7, 4.5],
          "line-dasharray": [0.1, 1.8],
        },
      },
    ],
  };
}

/** The lines to point at: a wide one would be easier, but these carry the option's key. */
export const CLICKABLE = ["selected-ridden", "selected-street", "other-options"];

type Ranked = { name: string; rank: string; at: [number, number] };
const ORDER = ["city", "town", "village", "suburb"];
const FROM_ZOOM: Record<string, number> = { city: 0, town: 7.5, village: 10.2, suburb: 12 };

/** Names of places, the greater first: they are HTML, so only a few that do not touch are shown. */
export function rankedPlaces(basemap: GeoJSON.FeatureCollection): Ranked[] {
  return basemap.features
    .flatMap(({ geometry, properties }): Ranked[] => {
      if (properties?.kind !== "place" || geometry.type !== "Point" || !properties.name) return [];
      const [lon = 0, lat = 0] = geometry.coordinates;
      return [{ name: properties.name, rank: properties.rank ?? "village", at: [lon, lat] }];
    })
    .sort((a, b) => ORDER.indexOf(a.rank) - ORDER.indexOf(b.rank));
}

export const isShownAt = (place: Ranked, zoom: number) => zoom >= (FROM_ZOOM[place.rank] ?? 10.2);
