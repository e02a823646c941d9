import type { Map as MapLibre } from "maplibre-gl";
import { LngLatBounds } from "maplibre-gl";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { type Point, useDrawing } from "../drawing";

/** A tenth of a metre is near enough. */
const rounded = ({ lat, lng }: { lat: number; lng: number }): Point => ({
  lat: Number(lat.toFixed(6)),
  lon: Number(lng.toFixed(6)),
});

/** On the map while a driver draws his way: what he can do there. */
export function DrawBar({ map }: { map: MapLibre }) {
  const { t } = useTranslation();
  const drawing = useDrawing();
  const bar = useRef<HTMLDivElement>(null);
  const active = drawing?.active ?? false;
  const { line = [], onLine, onDone } = drawing ?? {};
  const add = (corner: Point) => onLine?.([...line, corner]);
  const addCentre = () => add(rounded(map.getCenter()));

  useEffect(() => {
    if (!active) return;
    const canvas = map.getCanvas();
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Enter" && !event.repeat) addCentre();
    };
    const onClick = ({ lngLat }: { lngLat: { lat: number; lng: number } }) => add(rounded(lngLat));
    map.on("click", onClick);
    canvas.addEventListener("keydown", onKey);
    canvas.style.cursor = "crosshair";
    map.doubleClickZoom.disable(); // two corners that are near each other
    return () => {
      map.off("click", onClick);
      canvas.removeEventListener("keydown", onKey);
      canvas.style.cursor = "";
      map.doubleClickZoom.enable();
    };
  }, [map, active, line, onLine]);

  // Whoever begins is led to the map, and sees what is known of the drive.
  useEffect(() => {
    if (!active || !drawing) return;
    map.getContainer().scrollIntoView();
    map.getCanvas().focus({ preventScroll: true });
    const known = [drawing.start, ...drawing.stops, ...drawing.line, drawing.end].filter(
      (point) => point !== null,
    );
    if (known.length === 0) return;
    const bounds = new LngLatBounds();
    for (const { lon, lat } of known) bounds.extend([lon, lat]);
    const top = bar.current!.offsetHeight + 56;
    map.fitBounds(bounds, { padding: { top, bottom: 56, left: 56, right: 72 }, maxZoom: 14, duration: 600 });
  }, [map, active]);

  if (!active) return null;
  return (
    <>
      <div className="draw-centre" aria-hidden="true" />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a row here */}
      <div ref={bar} className="draw-bar" role="group" aria-label={t("draw.bar")}>
        <p role="status">{t("draw.count", { count: line.length })}</p>
        <p className="acts">
          <button className="act" type="button" onClick={addCentre}>
            {t("draw.addCentre")}
          </button>
          <button
            className="act"
            type="button"
            disabled={line.length === 0}
            onClick={() => onLine?.(line.slice(0, -1))}
          >
            {t("draw.undo")}
          </button>
          <button className="act" type="button" disabled={line.length === 0} onClick={() => onLine?.([])}>
            {t("draw.clear")}
          </button>
          <button className="act strong" type="button" onClick={onDone}>
            {t("draw.done")}
          </button>
        </p>
      </div>
    </>
  );
}
