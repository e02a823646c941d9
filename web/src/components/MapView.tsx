import "maplibre-gl/dist/maplibre-gl.css";
import {
  addProtocol,
  type GeoJSONSource,
  LngLatBounds,
  Map as MapLibre,
  Marker,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { Protocol } from "pmtiles";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { Focus } from "../App";
import type { Plan, Territory } from "../api/client";
import { type Point, useDrawing } from "../drawing";
import { useShownCar } from "../live";
import { colourOf, isStreet, lineOf } from "../modes";
import type { Option } from "../usePlan";
import { DrawBar } from "./DrawBar";
import { OsmCredit } from "./Footer";
import { Icon } from "./icons";
import { CLICKABLE, styleAddress, withJourneys } from "./journeyLayers";

setWorkerUrl(workerUrl);
addProtocol("pmtiles", new Protocol().tile);

const darkQuery = matchMedia("(prefers-color-scheme: dark)");
const useDark = () =>
  useSyncExternalStore(
    (changed) => {
      darkQuery.addEventListener("change", changed);
      return () => darkQuery.removeEventListener("change", changed);
    },
    () => darkQuery.matches,
  );

type Props = {
  territory: Territory;
  options: Option[];
  ends: Pick<Plan, "from" | "to"> | null;
  focus: Focus;
  onFocus: (focus: Focus) => void;
};

export default function MapView({ territory, options, ends, focus, onFocus }: Props) {
  const { t } = useTranslation();
  const dark = useDark();
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [failed, setFailed] = useState(false);
  const drawing = useDrawing();
  // Whoever draws is not led astray by what was searched before.
  const lines = useMemo(() => toLines(drawing ? [] : options, focus), [drawing, options, focus]);
  const drawn = useMemo(() => toDrawn(drawing), [drawing]);
  const shown = useRef({ lines, drawn });
  shown.current = { lines, drawn };

  // Made once; what follows keeps it up to date.
  useEffect(() => {
    let made: MapLibre | undefined;
    try {
      made = new MapLibre({
        container: box.current!,
        bounds: territory.bbox as [number, number, number, number],
        fitBoundsOptions: { padding: 24 },
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        cooperativeGestures: false,
      });
      made.touchZoomRotate.disableRotation();
      setMap(made);
    } catch {
      setFailed(true);
    }
    return () => {
      setMap(null);
      made?.remove();
    };
  }, []);

  // A new style carries the lines of the moment in which it arrives; later ones are sent alone.
  useEffect(() => {
    map?.setStyle(styleAddress(dark), {
      transformStyle: (_, style) => withJourneys(style, dark, shown.current),
    });
  }, [map, dark]);

  useEffect(() => {
    map?.getSource<GeoJSONSource>("lines")?.setData(lines);
  }, [map, lines]);

  useEffect(() => {
    map?.getSource<GeoJSONSource>("drawn")?.setData(drawn);
  }, [map, drawn]);

  const [from, to] = drawing ? [drawing.start, drawing.end] : [ends?.from, ends?.to];
  useEnd(map, "from", from);
  useEnd(map, "to", to);
  useCar(map);
  useFit(map, options, focus.selected);

  const current = useRef({ focus, onFocus, drawing });
  current.current = { focus, onFocus, drawing };
  useEffect(() => {
    if (!map) return;
    const under = (point: { x: number; y: number }) =>
      map.queryRenderedFeatures(
        [
          [point.x - 6, point.y - 6],
          [point.x + 6, point.y + 6],
        ],
        {
          layers: CLICKABLE.filter((id) => map.getLayer(id)),
        },
      )[0]?.properties as { key: string; leg: number; selected: boolean } | undefined;
    map.on("click", ({ point }) => {
      const found = under(point);
      if (found) current.current.onFocus({ selected: found.key, hovered: null, leg: null });
    });
    map.on("mousemove", ({ point }) => {
      const { focus, onFocus, drawing } = current.current;
      if (drawing?.active) return;
      const found = under(point);
      const hovered = found && !found.selected ? found.key : null;
      const leg = found?.selected ? found.leg : null;
      map.getCanvas().style.cursor = found ? "pointer" : "";
      if (hovered !== focus.hovered || leg !== focus.leg) onFocus({ ...focus, hovered, leg });
    });
  }, [map]);

  return (
    <>
      <div className="map" ref={box} />
      {failed && <p className="map-note">{t("map.unavailable")}</p>}
      {!failed && (
        <div className="map-zoom">
          <button type="button" aria-label={t("map.zoomIn")} onClick={() => map?.zoomIn()}>
            <Icon name="plus" />
          </button>
          <button type="button" aria-label={t("map.zoomOut")} onClick={() => map?.zoomOut()}>
            <Icon name="minus" />
          </button>
        </div>
      )}
      {map && <DrawBar map={map} />}
      <p className="map-credit">
        <OsmCredit generated={territory.generated} />
      </p>
    </>
  );
}

function toLines(options: Option[], focus: Focus): GeoJSON.FeatureCollection {
  return {
    type: "FeatureCollection",
    features: options
      // A direct way is drawn only when it is the one selected.
      .filter(({ key }) => key === focus.selected || !key.startsWith("direct|"))
      .flatMap(({ key, itinerary }) =>
        itinerary.legs.map((leg, at) => ({
          type: "Feature" as const,
          geometry: { type: "LineString" as const, coordinates: lineOf(leg) },
          properties: {
            key,
            leg: at,
            colour: colourOf(leg),
            street: isStreet(leg),
            selected: key === focus.selected,
            hovered: key === focus.hovered,
            lit: key === focus.selected && at === focus.leg,
          },
        })),
      ),
  };
}

/** What a driver draws; before, the stops of which his drive consists. */
function toDrawn(drawing: ReturnType<typeof useDrawing>): GeoJSON.FeatureCollection {
  const { line = [], stops = [] } = drawing ?? {};
  const points = (line.length > 0 ? line : stops).map(({ lat, lon }) => [lon, lat]);
  const feature = (geometry: GeoJSON.Geometry) => ({
    type: "Feature" as const,
    geometry,
    properties: { stop: line.length === 0 },
  });
  return {
    type: "FeatureCollection",
    features: [
      ...(line.length > 1 ? [feature({ type: "LineString", coordinates: points })] : []),
      ...points.map((coordinates) => feature({ type: "Point", coordinates })),
    ],
  };
}

function useFit(map: MapLibre | null, options: Option[], selected: string | null) {
  const option = options.find(({ key }) => key === selected);
  // A page added to the list must not move the map.
  useEffect(() => {
    if (!map || !option) return;
    const bounds = new LngLatBounds();
    for (const leg of option.itinerary.legs) for (const point of lineOf(leg)) bounds.extend(point);
    map.fitBounds(bounds, {
      padding: { top: 64, bottom: 56, left: 56, right: 110 },
      maxZoom: 16,
      duration: 600,
    });
  }, [map, selected]);
}

/** The car that somebody waits for, once it may be seen. */
function useCar(map: MapLibre | null) {
  const car = useShownCar();
  const { t } = useTranslation();
  const label = t("live.car");
  useEffect(() => {
    if (!map || !car) return;
    const element = document.createElement("div");
    element.className = "car-marker";
    element.role = "img";
    element.ariaLabel = label;
    const at: [number, number] = [car.lon, car.lat];
    const marker = new Marker({ element, anchor: "center" }).setLngLat(at).addTo(map);
    if (!map.getBounds().contains(at)) map.easeTo({ center: at });
    return () => {
      marker.remove();
    };
  }, [map, car, label]);
}

function useEnd(map: MapLibre | null, end: "from" | "to", at: Point | null | undefined) {
  const { lat, lon } = at ?? {};
  useEffect(() => {
    if (!map || lat === undefined || lon === undefined) return;
    const element = document.createElement("div");
    element.className = `end-marker ${end}`;
    element.ariaHidden = "true";
    const marker = new Marker({ element, anchor: "center" }).setLngLat([lon, lat]).addTo(map);
    return () => {
      marker.remove();
    };
  }, [map, end, lat, lon]);
}
