import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { costsOfDrive } from "../api/client";
import { type Point, useDrawing } from "../drawing";
import { useFormat } from "../format";
import type { Car } from "./OfferForm";
import type { Picked } from "./PlaceField";

type Props = { places: (Picked | null)[]; line: Point[]; car: Car };

/** What a drive costs its driver, and each one's share, before he offers seats on it. */
export function DriveCost({ places, line, car }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const known = places.filter((place) => place !== null).map(({ lat, lon }) => ({ lat, lon }));
  const [start, end] = [known[0], known.at(-1)];
  // Not anew with each corner.
  const drawing = useDrawing()?.active;
  const ready = known.length === places.length && car.seats >= 1 && !drawing;
  const { data } = useQuery({
    queryKey: ["costs", known, line, car],
    queryFn: ({ signal }) =>
      costsOfDrive({ start: start!, end: end!, vias: known.slice(1, -1), line, ...car }, signal),
    enabled: ready,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (!ready || !data) return null;
  const money = (cents: number) => format.money(cents, data.currency);
  return (
    <section className="drive-cost" aria-label={t("cost.title")}>
      <h3>{t("cost.title")}</h3>
      <p>
        {format.distance(data.metres)}, {format.duration(data.drive_s)} :{" "}
        {t("cost.energy", { value: money(data.energy_cents) })}
        {data.toll_metres > 0 && `, ${t("cost.toll", { value: money(data.toll_cents) })}`}
      </p>
      <ul>
        {data.share_cents.map((cents, at) => (
          <li key={at + 1}>{t("cost.share", { count: at + 1, value: money(cents) })}</li>
        ))}
      </ul>
      <p className="help">{t("cost.help")}</p>
    </section>
  );
}
