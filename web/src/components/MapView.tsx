import "maplibre-gl/dist/maplibre-gl.css";
import { useQuery } from "@tanstack/react-query";
import { type GeoJSONSource, LngLatBounds, Map as MapLibre, Marker, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { Focus } from "../App";
import { getBasemap, type Plan, type Territory } from "../api/client";
import { colourOf, isStreet, lineOf } from "../modes";
import type { Option } from "../usePlan";
import { buildStyle, CLICKABLE, isShownAt, rankedPlaces } from "./basemap";
import { OsmCredit } from "./Footer";
import { Icon } from "./icons";

setWorkerUrl(workerUrl);

const MAX_LABELS = 40;
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
  const { data: basemap } = useQuery({ queryKey: ["basemap"], queryFn: getBasemap, staleTime: Infinity });
  const lines = useMemo(() => toLines(options, focus), [options, focus]);

  // Made once; what follows keeps it up to date.
  useEffect(() => {
    let made: MapLibre | undefined;
    const start = () => setMap(made ?? null);
    try {
      made = new MapLibre({
        container: box.current!,
        style: buildStyle(dark, basemap, lines),
        bounds: territory.bbox as [number, number, number, number],
        fitBoundsOptions: { padding: 24 },
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        cooperativeGestures: false,
      });
      made.touchZoomRotate.disableRotation();
      made.on("load", start);
    } catch {
      setFailed(true);
    }
    return () => {
      setMap(null);
      made?.remove();
    };
  }, []);

  // A new style carries the lines of this moment; later ones are sent alone, which is cheap.
  // `lines` has its own effect.
  useEffect(() => {
    map?.setStyle(buildStyle(dark, basemap, lines));
  }, [map, dark, basemap]);

  useEffect(() => {
    map?.getSource<GeoJSONSource>("lines")?.setData(lines);
  }, [map, lines]);

  usePlaceLabels(map, basemap, ends);
  useEnds(map, ends);
  useFit(map, options, focus.selected);

  const current = useRef({ focus, onFocus });
  current.current = { focus, onFocus };
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
      const found = under(point);
      const { focus, onFocus } = current.current;
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

function useEnds(map: MapLibre | null, ends: Props["ends"]) {
  useEffect(() => {
    if (!map || !ends) return;
    const markers = (["from", "to"] as const).map((end) => {
      const element = document.createElement("div");
      element.className = `end-marker ${end}`;
      element.ariaHidden = "true";
      return new Marker({ element, anchor: "center" }).setLngLat([ends[end].lon, ends[end].lat]).addTo(map);
    });
    return () => {
      for (const marker of markers) marker.remove();
    };
  }, [map, ends]);
}

function usePlaceLabels(
  map: MapLibre | null,
  basemap: GeoJSON.FeatureCollection | undefined,
  ends: Props["ends"],
) {
  useEffect(() => {
    if (!map || !basemap) return;
    const places = rankedPlaces(basemap);
    let markers: Marker[] = [];
    const clear = () => {
      for (const marker of markers) marker.remove();
      markers = [];
    };
    const show = () => {
      clear();
      const taken: { x: number; y: number; half: number }[] = [];
      for (const place of places) {
        if (markers.length >= MAX_LABELS) break;
        if (!isShownAt(place, map.getZoom()) || !map.getBounds().contains(place.at)) continue;
        const { x, y } = map.project(place.at);
        const marked = [ends?.from, ends?.to].some((end) => {
          if (!end) return false;
          const at = map.project([end.lon, end.lat]);
          return Math.hypot(at.x - x, at.y - y) < 30;
        });
        const half = 12 + place.name.length * 4;
        if (taken.some((other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 24))
          continue;
        taken.push({ x, y, half });
        const element = document.createElement("span");
        element.className = `place-label ${place.rank}`;
        element.textContent = place.name;
        element.ariaHidden = "true";
        markers.push(new Marker({ element, offset: [0, marked ? -26 : 0] }).setLngLat(place.at).addTo(map));
      }
    };
    show();
    map.on("moveend", show);
    return () => {
      map.off("moveend", show);
      clear();
    };
  }, [map, basemap, ends]);
}
