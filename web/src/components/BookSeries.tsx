import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { bookSeries, type Itinerary, plan, type Schemas } from "../api/client";
import { useFormat } from "../format";
import { kindOf } from "../modes";
import { useKeyedAct } from "../session";
import { useTimezone } from "../territory";
import { addDays, localDate, toInstant } from "../time";
import { WEEKDAYS } from "./OfferForm";
import { Refusal } from "./Refusal";
import { SeriesDates } from "./SeriesDates";

const USUAL_DAYS = 28;
/** As the server has it: a quarter of a year. */
const LONGEST_DAYS = 89;
const USUAL_RETURN = "17:00";

type Props = { itinerary: Itinerary; quotes: string[]; journey: Schemas["Journey"]; riders: number };

/** Book the same ride on the same days of the week, perhaps with a way back; each date is answered. */
export function BookSeries({ itinerary, quotes, journey, riders }: Props) {
  const { t } = useTranslation();
  const [back, setBack] = useState<string[] | null>(null);
  const [withReturn, setWithReturn] = useState(false);
  const booking = useKeyedAct(bookSeries);
  const first = localDate(new Date(itinerary.startTime), useTimezone());
  const ownDay = WEEKDAYS[(new Date(`${first}T00:00Z`).getUTCDay() + 6) % 7]!;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    booking.mutate({
      out: quotes,
      back: withReturn ? (back ?? []) : [],
      weekdays: WEEKDAYS.filter((day) => given.getAll("weekday").includes(day)),
      until: String(given.get("until")),
      both_or_none: withReturn && given.has("both"),
      journey,
    });
  };
  return (
    <details className="series">
      <summary>{t("series.every")}</summary>
      {!booking.data && (
        <form className="form" onSubmit={submit}>
          <fieldset className="checks days">
            <legend>{t("offer.weekdays")}</legend>
            {WEEKDAYS.map((day) => (
              <label key={day}>
                <input type="checkbox" name="weekday" value={day} defaultChecked={day === ownDay} />{" "}
                {t(`weekday.${day}`)}
              </label>
            ))}
          </fieldset>
          <label className="field">
            <span>{t("series.until")}</span>
            <input
              required
              type="date"
              name="until"
              min={first}
              max={addDays(first, LONGEST_DAYS)}
              defaultValue={addDays(first, USUAL_DAYS)}
            />
          </label>
          <label>
            <input
              type="checkbox"
              checked={withReturn}
              onChange={(event) => setWithReturn(event.currentTarget.checked)}
            />{" "}
            {t("series.withReturn")}
          </label>
          {withReturn && (
            <>
              <ReturnWays journey={journey} date={first} riders={riders} onPick={setBack} />
              <label>
                <input type="checkbox" name="both" /> {t("series.both")}
              </label>
            </>
          )}
          <Refusal error={booking.error} />
          <button
            className="primary carpool"
            type="submit"
            disabled={booking.isPending || (withReturn && !back)}
          >
            {t("series.book")}
          </button>
        </form>
      )}
      <div role="status">{booking.data && <SeriesDates series={booking.data} />}</div>
    </details>
  );
}

type ReturnProps = {
  journey: Schemas["Journey"];
  date: string;
  riders: number;
  onPick: (quotes: string[]) => void;
};

/** Ways back by carpool on the same day, from a time on, to choose from. */
function ReturnWays({ journey, date, riders, onPick }: ReturnProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const timezone = useTimezone();
  const [time, setTime] = useState(USUAL_RETURN);
  const at = ({ lat, lon }: Schemas["End"]) => `${lat},${lon}`;
  const found = useQuery({
    queryKey: ["return", at(journey.end), at(journey.start), date, time, riders],
    queryFn: () =>
      plan(
        {
          fromPlace: at(journey.end),
          toPlace: at(journey.start),
          time: toInstant(`${date}T${time}`, timezone).toISOString(),
          passengers: riders,
        },
        true,
      ),
    enabled: time !== "",
  });
  const ways = found.data?.itineraries
    .map((itinerary) => ({ itinerary, quotes: quotesOf(itinerary) }))
    .filter(({ quotes }) => quotes.length > 0);
  return (
    <>
      <label className="field">
        <span>{t("series.returnFrom")}</span>
        <input required type="time" value={time} onChange={(event) => setTime(event.currentTarget.value)} />
      </label>
      {found.isPending && <p className="muted">{t("results.loading")}</p>}
      <Refusal error={found.error} />
      {ways?.length === 0 && <p className="muted">{t("series.noReturn")}</p>}
      {ways && ways.length > 0 && (
        <fieldset className="checks">
          <legend>{t("series.return")}</legend>
          {ways.map(({ itinerary, quotes }) => (
            <label key={quotes.join()}>
              <input type="radio" name="return" required onChange={() => onPick(quotes)} />{" "}
              {t("series.way", {
                from: format.time(itinerary.startTime),
                to: format.time(itinerary.endTime),
              })}
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

/** Of each carpool leg; none where one of them cannot be booked. */
export function quotesOf(itinerary: Itinerary): string[] {
  const quotes = itinerary.legs.filter((leg) => kindOf(leg) === "carpool").map((leg) => leg.mobility?.quote);
  const wanted = quotes.filter((quote) => quote !== undefined);
  return wanted.length < quotes.length ? [] : wanted;
}
