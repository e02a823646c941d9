import { useTranslation } from "react-i18next";
import type { Leg } from "../api/client";
import { useFormat } from "../format";
import { colourOf, isStreet, kindOf, lineName, textColourOf } from "../modes";
import { Icon } from "./icons";

/** The itinerary at a glance: one segment per leg, as wide as it is long, with the waits between. */
export function ModeStrip({ legs, highlighted }: { legs: Leg[]; highlighted: number | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <span className="strip">
      {legs.map((leg, at) => {
        const kind = kindOf(leg);
        const wait = at ? (Date.parse(leg.startTime) - Date.parse(legs[at - 1]!.endTime)) / 1000 : 0;
        const street = isStreet(leg);
        const colours = street ? {} : { background: colourOf(leg), color: textColourOf(leg) };
        const name = kind === "carpool" ? t("mode.carpool") : lineName(leg);
        return (
          <span
            key={leg.startTime + leg.mode + leg.from.lat}
            className={`segment ${street ? "street" : "ridden"} ${kind}${highlighted === at ? " lit" : ""}`}
            style={{
              flexGrow: Math.max(leg.duration, 60),
              marginInlineStart: wait > 0 ? `${Math.min(wait / 90, 28)}px` : undefined,
              ...colours,
            }}
            title={`${kind === "carpool" ? name : `${t(`mode.${kind}`)} ${name}`} · ${format.minutes(leg.duration)}`}
          >
            <Icon name={kind} size={20} />
            <span className="unseen">
              {kind === "carpool" ? name : `${t(`mode.${kind}`)} ${name}`} {format.minutes(leg.duration)}
            </span>
            <span className="segment-name" aria-hidden="true">
              {street ? Math.max(1, Math.round(leg.duration / 60)) : name}
            </span>
          </span>
        );
      })}
    </span>
  );
}
