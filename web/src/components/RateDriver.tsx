import { useTranslation } from "react-i18next";
import { type Booking, rateDriver } from "../api/client";
import { useOwnAct } from "../session";
import { Refusal } from "./Refusal";
import { Stars } from "./Stars";

const RATED: Booking["state"][] = ["completed", "no_show_rider", "no_show_driver", "disputed", "resolved"];
/** So long after a ride one may rate it, or complain. */
export const SPOKEN_MS = 7 * 86_400_000;

/** Say how a ride was, for a week; or what one has said of it. */
export function RateDriver({ booking }: { booking: Booking }) {
  const { t } = useTranslation();
  const rate = useOwnAct((stars: number) => rateDriver(booking.id, stars));
  const given = booking.stars_given;
  if (given != null) return <p className="muted">{t("rate.given", { count: given })}</p>;
  if (!RATED.includes(booking.state) || Date.now() > Date.parse(booking.dropoff_by) + SPOKEN_MS) return null;
  return (
    <>
      <Stars
        title={t("rate.title", { name: booking.driver })}
        disabled={rate.isPending}
        onRate={(stars) => rate.mutate(stars)}
      />
      <Refusal error={rate.error} />
    </>
  );
}
