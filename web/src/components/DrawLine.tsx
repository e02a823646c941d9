import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { hideDrawing, type Point, showDrawing } from "../drawing";
import { useNearName } from "../nearName";
import { Icon } from "./icons";

type Props = {
  line: Point[];
  start: Point | null;
  end: Point | null;
  stops: Point[];
  onLine: (line: Point[]) => void;
};

/** In a driver's form: draw the way on the map, and the corners that are drawn. */
export function DrawLine({ line, start, end, stops, onLine }: Props) {
  const { t } = useTranslation();
  const owner = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [active, setActive] = useState(false);
  const places = JSON.stringify([start, end, stops]);
  useEffect(() => {
    if (!active && line.length === 0) return hideDrawing(owner);
    showDrawing({ owner, line, start, end, stops, active, onLine, onDone: () => setActive(false) });
  }, [owner, line, places, active]);
  useEffect(() => () => hideDrawing(owner), [owner]);
  // Back from the map.
  const was = useRef(active);
  useEffect(() => {
    if (was.current && !active) button.current?.focus();
    was.current = active;
  }, [active]);
  return (
    <fieldset className="checks drawn">
      <legend>{t("draw.title")}</legend>
      <p className="help">
        {t("draw.help")} {t("draw.keys")} {stops.length > 0 && t("draw.stops")}
      </p>
      <button
        ref={button}
        className="act"
        type="button"
        aria-pressed={active}
        onClick={() => setActive(!active)}
      >
        <Icon name="place" size={16} />{" "}
        {t(active ? "draw.done" : line.length > 0 ? "draw.again" : "draw.title")}
      </button>
      {line.length > 0 && (
        <details>
          <summary>
            {t("draw.points")} ({line.length})
          </summary>
          <ol>
            {line.map((corner, at) => (
              <Corner
                key={`${at}|${corner.lat},${corner.lon}`}
                nth={at + 1}
                corner={corner}
                onRemove={() => onLine(line.toSpliced(at, 1))}
              />
            ))}
          </ol>
        </details>
      )}
    </fieldset>
  );
}

function Corner({ nth, corner, onRemove }: { nth: number; corner: Point; onRemove: () => void }) {
  const { t } = useTranslation();
  const name = useNearName(corner);
  return (
    <li>
      <span>{t("draw.point", { nth, name })}</span>{" "}
      <button className="act" type="button" aria-label={t("draw.remove", { nth })} onClick={onRemove}>
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}
