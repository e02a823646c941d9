import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Booking } from "../api/client";
import { useFormat } from "../format";
import { useLive } from "../live";

const FOLLOWED_BEFORE_MS = 30 * 60_000;
const FOLLOWED_AFTER_MS = 3 * 3_600_000;
const TICK_MS = 15_000;

/** Whether a car may be under way for a booking. */
export const isNear = ({ pickup_from, dropoff_by }: Booking) =>
  Date.parse(pickup_from) - FOLLOWED_BEFORE_MS < Date.now() &&
  Date.now() < Date.parse(dropoff_by) + FOLLOWED_AFTER_MS;

/** "Arrives in 4 min", while the ride is near. */
export function LiveTimes({ booking }: { booking: Booking }) {
  const { t } = useTranslation();
  const format = useFormat();
  const live = useLive(booking.id);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  if (!live) return null;
  const aboard = live.state === "boarded";
  const { expected_at, reached_at } = aboard ? live.dropoff : live.pickup;
  const inS = (Date.parse(expected_at) - now) / 1000;
  const words = aboard ? "live.dropoff" : "live.pickup";
  return (
    <p className="live" role="status">
      {reached_at && !aboard
        ? t("live.here")
        : t(inS > 45 ? words : `${words}Now`, {
            value: format.minutes(inS),
            time: format.time(expected_at),
          })}
      <small>{live.seen_at ? t("live.seen", { time: format.time(live.seen_at) }) : t("live.unseen")}</small>
    </p>
  );
}
