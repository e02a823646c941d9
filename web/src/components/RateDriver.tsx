import { useTranslation } from "react-i18next";
import { type Booking, rateDriver } from "../api/client";
import { useOwnAct } from "../session";
import { Refusal } from "./Refusal";

const STARS = [1, 2, 3, 4, 5];
const RATED: Booking["state"][] = ["completed", "no_show_rider", "no_show_driver", "disputed", "resolved"];
const DAYS_MS = 7 * 86_400_000;

/** Say how a ride was, for a week; or what one has said of it. */
export function RateDriver({ booking }: { booking: Booking }) {
  const { t } = useTranslation();
  const rate = useOwnAct((stars: number) => rateDriver(booking.id, stars));
  const given = booking.stars_given;
  if (given != null) return <p className="muted">{t("rate.given", { count: given })}</p>;
  if (!RATED.includes(booking.state) || Date.now() > Date.parse(booking.dropoff_by) + DAYS_MS) return null;
  return (
    <>
      <fieldset className="rate" disabled={rate.isPending}>
        <legend>{t("rate.title", { name: booking.driver })}</legend>
        {STARS.map((stars) => (
          <button
            key={stars}
            className="act"
            type="button"
            aria-label={t("rate.stars", { count: stars })}
            onClick={() => rate.mutate(stars)}
          >
            {stars}
            <span aria-hidden="true"> ★</span>
          </button>
        ))}
      </fieldset>
      <Refusal error={rate.error} />
    </>
  );
}
