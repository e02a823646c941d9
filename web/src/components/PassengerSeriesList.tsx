import { useTranslation } from "react-i18next";
import { answerSeries, listPassengerSeries, type PassengerSeries } from "../api/client";
import { useFormat } from "../format";
import { useOwn, useOwnAct } from "../session";
import { Listed } from "./Listed";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

/** Riders who come week after week, to their driver: one answer for all their dates. */
export function PassengerSeriesList() {
  const { t } = useTranslation();
  const query = useOwn("passenger-series", listPassengerSeries);
  if (query.data?.length === 0) return null;
  return (
    <Listed
      title={t("series.passengers")}
      query={query}
      none={t("series.noPassengers")}
      card={(series) => <SeriesCard series={series} />}
    />
  );
}

function SeriesCard({ series }: { series: PassengerSeries }) {
  const { t } = useTranslation();
  const format = useFormat();
  const act = useOwnAct((does: Parameters<typeof answerSeries>[1]) => answerSeries(series.id, does));
  const asked = series.dates.filter(({ state }) => state === "pending_driver").length;
  return (
    <>
      <p className="booking-day">{series.rider}</p>
      <p>
        {t("series.dateCount", { count: series.dates.length })} ·{" "}
        {t("booking.seats", { count: series.seats })}
      </p>
      <details>
        <summary>{t("series.dates")}</summary>
        <ul className="series-dates">
          {series.dates.map((date) => (
            <li key={date.booking_id}>
              <span>{format.fullDay(date.date)}</span>
              <span className={`state ${date.state}`}>{t(`ride.passenger.${date.state}`)}</span>
            </li>
          ))}
        </ul>
      </details>
      <Refusal error={act.error} />
      <p className="acts">
        {asked > 0 && (
          <>
            <button
              className="act strong"
              type="button"
              disabled={act.isPending}
              onClick={() => act.mutate("accept")}
            >
              {t("series.acceptAll", { count: asked })}
            </button>
            <Sure
              label={t("series.declineAll")}
              question={t("series.sureDecline")}
              disabled={act.isPending}
              onSure={() => act.mutate("decline")}
            />
          </>
        )}
        {asked < series.dates.length && (
          <Sure
            label={t("series.cancelAll")}
            question={t("series.sureCancelAll")}
            disabled={act.isPending}
            onSure={() => act.mutate("cancel")}
          />
        )}
      </p>
    </>
  );
}
