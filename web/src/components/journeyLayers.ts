/** The base map's style as the server gives it, with the journeys drawn over its streets. */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";

export const styleAddress = (dark: boolean) => `/tiles/style-${dark ? "dark" : "light"}.json`;

const LIGHT = { halo: "#ffffff", faint: "#5b6b73", street: "#37474f", drawn: "#b3261e" };
const DARK = { halo: "#0c1413", faint: "#93a5a8", street: "#d5dfe0", drawn: "#ff8a80" };

const round = { "line-cap": "round", "line-join": "round" } as const;
const isStreet: ExpressionSpecification = ["get", "street"];
const lit: ExpressionSpecification = ["get", "lit"];

const layers = (dark: boolean): LayerSpecification[] => {
  const colour = dark ? DARK : LIGHT;
  return [
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
        "line-color": colour.street,
        "line-width": ["case", lit, 7, 4.5],
        "line-dasharray": [0.1, 1.8],
      },
    },
    {
      id: "drawn-halo",
      type: "line",
      source: "drawn",
      layout: round,
      paint: { "line-color": colour.halo, "line-width": 8 },
    },
    {
      id: "drawn-line",
      type: "line",
      source: "drawn",
      layout: round,
      paint: { "line-color": colour.drawn, "line-width": 4 },
    },
    {
      id: "drawn-corners",
      type: "circle",
      source: "drawn",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": 6,
        "circle-color": colour.halo,
        "circle-stroke-color": ["case", ["get", "stop"], colour.faint, colour.drawn],
        "circle-stroke-width": 3,
      },
    },
  ];
};

export type Layers = Record<"lines" | "drawn", GeoJSON.FeatureCollection>;

/** Journeys go over everything drawn, and under the names: a street one walks along stays readable. */
export function withJourneys(style: StyleSpecification, dark: boolean, shown: Layers): StyleSpecification {
  const isName = ({ type }: LayerSpecification) => type === "symbol";
  return {
    ...style,
    sources: {
      ...style.sources,
      lines: { type: "geojson", data: shown.lines },
      drawn: { type: "geojson", data: shown.drawn },
    },
    layers: [
      ...style.layers.filter((layer) => !isName(layer)),
      ...layers(dark),
      ...style.layers.filter(isName),
    ],
  };
}

/** The lines to point at: a wide one would be easier, but these carry the option's key. */
export const CLICKABLE = ["selected-ridden", "selected-street", "other-options"];
