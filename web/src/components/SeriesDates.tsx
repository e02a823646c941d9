import { useTranslation } from "react-i18next";
import { changeBooking, type Series, type SeriesDate } from "../api/client";
import { useFormat } from "../format";
import { useOwnAct } from "../session";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

/** What became of each date of a series, each way by itself. */
export function SeriesDates({ series }: { series: Series }) {
  const { t } = useTranslation();
  const booked = series.dates.filter(({ answer }) => answer === "booked" || answer === "asked").length;
  return (
    <>
      <p>{t("series.summary", { booked, count: series.dates.length })}</p>
      <ul className="series-dates">
        {series.dates.map((date) => (
          <DateRow key={date.date + date.way} date={date} />
        ))}
      </ul>
    </>
  );
}

function DateRow({ date }: { date: SeriesDate }) {
  const { t } = useTranslation();
  const format = useFormat();
  const drop = useOwnAct(() => Promise.all(date.bookings.map(({ id }) => changeBooking(id, "cancel"))));
  const [first] = date.bookings;
  const open = date.answer === "booked" || date.answer === "asked";
  const why =
    date.answer === "refused"
      ? t(`series.reason.${date.reason}`, { defaultValue: t(`refusal.${date.reason}`) })
      : date.answer === "over" && first
        ? t(`booking.state.${first.state}`)
        : t(`series.answer.${date.answer}`);
  return (
    <li>
      <span>
        {format.fullDay(date.date)} · {t(`series.${date.way}`)}
        {open && first && `, ${format.time(first.pickup_from)}`}
      </span>
      <span className={`state ${date.answer}`}>{why}</span>
      {open && first && Date.parse(first.pickup_from) > Date.now() && (
        <Sure
          label={t("series.drop")}
          question={t("booking.sureCancel")}
          disabled={drop.isPending}
          onSure={() => drop.mutate(undefined)}
        />
      )}
      <Refusal error={drop.error} />
    </li>
  );
}
