import { useTranslation } from "react-i18next";
import { useActingWords } from "../acting";
import { cancelSeries, listSeries, type Series } from "../api/client";
import { useFormat } from "../format";
import { useOwn, useOwnAct } from "../session";
import { Listed } from "./Listed";
import { WEEKDAYS } from "./OfferForm";
import { Refusal } from "./Refusal";
import { SeriesDates } from "./SeriesDates";
import { Sure } from "./Sure";

const isOver = ({ dates }: Series) =>
  !dates.some(
    ({ answer, bookings }) =>
      answer === "open" ||
      (answer !== "over" && bookings.some(({ dropoff_by }) => Date.parse(dropoff_by) > Date.now())),
  );

/** Weekly series that one has booked. */
export function SeriesList() {
  const { t } = useTranslation();
  const words = useActingWords();
  const query = useOwn("series", listSeries);
  if (query.data?.length === 0) return null;
  return (
    <Listed
      title={t("series.own", words)}
      query={query}
      none={t("series.none")}
      card={(series) => <SeriesCard series={series} />}
      isOver={isOver}
    />
  );
}

function SeriesCard({ series }: { series: Series }) {
  const { t } = useTranslation();
  const format = useFormat();
  const cancel = useOwnAct(() => cancelSeries(series.id));
  const changed = series.offers.some((offer) => offer.changed);
  const stopped = series.offers.find(({ state }) => state !== "published");
  return (
    <>
      <p className="booking-day">
        {series.pickup_name} → {series.dropoff_name}
      </p>
      <p>
        {WEEKDAYS.filter((day) => series.weekdays.includes(day))
          .map((day) => t(`weekday.${day}`))
          .join(", ")}
        {", "}
        {t("offer.between", { from: format.shortDay(series.first), to: format.shortDay(series.until) })}
        {" · "}
        {t("booking.seats", { count: series.seats })}
      </p>
      {stopped && <p className="late">{t(`series.offer.${stopped.state}`)}</p>}
      {changed && <p className="late">{t("series.offer.changed")}</p>}
      <details>
        <summary>{t("series.dates")}</summary>
        <SeriesDates series={series} />
      </details>
      <Refusal error={cancel.error} />
      {!isOver(series) && (
        <p className="acts">
          <Sure
            label={t("series.cancel")}
            question={t("series.sureCancel")}
            disabled={cancel.isPending}
            onSure={() => cancel.mutate(undefined)}
          />
        </p>
      )}
    </>
  );
}
