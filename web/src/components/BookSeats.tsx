import { useState } from "react";
import { useTranslation } from "react-i18next";
import { book, type Itinerary, type Schemas } from "../api/client";
import { useFormat } from "../format";
import { kindOf } from "../modes";
import { EMPTY_SEARCH, writeSearch } from "../search";
import { useKeyedAct, useMe } from "../session";
import { useTimezone } from "../territory";
import { localMinute } from "../time";
import { BookingFacts } from "./BookingFacts";
import { BookSeries, quotesOf } from "./BookSeries";
import { Refusal } from "./Refusal";
import { SignIn } from "./SignIn";

type Props = { itinerary: Itinerary; names: { from: string; to: string }; riders: number };

/** Book the seats of an itinerary's carpool legs, all or none, and say what came of it. */
export function BookSeats({ itinerary, names, riders }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const [asking, setAsking] = useState(false);
  const wanted = quotesOf(itinerary);
  const booking = useKeyedAct(book);

  if (wanted.length === 0) return null;

  const price = carpoolPrice(itinerary);
  return (
    <div className="book">
      {!booking.data && (
        <button
          className="primary carpool"
          type="button"
          disabled={booking.isPending}
          onClick={() =>
            me ? booking.mutate({ quotes: wanted, journey: endsOf(itinerary) }) : setAsking(true)
          }
        >
          {price === null
            ? t("book.do")
            : t("book.doFor", { price: format.money(price.cents, price.currency) })}
        </button>
      )}
      <div role="status">
        {booking.data?.map((booked) => (
          <BookingFacts key={booked.id} booking={booked} />
        ))}
        <ReturnLink search={booking.data?.at(-1)?.return_search} names={names} />
      </div>
      <Refusal error={booking.error} />
      {me && !booking.data && (
        <BookSeries itinerary={itinerary} quotes={wanted} journey={endsOf(itinerary)} riders={riders} />
      )}
      <SignIn isOpen={asking} onOpenChange={setAsking} />
    </div>
  );
}

type ReturnProps = {
  search: Schemas["ReturnSearch"] | null | undefined;
  names: { from: string; to: string };
};

/** The way back, on the day that was just booked. */
function ReturnLink({ search, names }: ReturnProps) {
  const { t, i18n } = useTranslation();
  const timezone = useTimezone();
  if (!search) return null;
  const href = writeSearch(
    {
      ...EMPTY_SEARCH,
      from: { name: names.to, value: search.fromPlace },
      to: { name: names.from, value: search.toPlace },
      kind: "depart",
      time: localMinute(new Date(search.time), timezone),
      riders: search.passengers,
    },
    i18n.language,
  );
  return (
    <a className="return" href={href}>
      {t("book.return")}
    </a>
  );
}

/** Where the rider really travels: plan B and the way home are worked out for it. */
function endsOf({ legs }: Itinerary) {
  const [first, last] = [legs[0]!.from, legs.at(-1)!.to];
  return { start: { lat: first.lat, lon: first.lon }, end: { lat: last.lat, lon: last.lon } };
}

/** What the rides add to the price; a charge for several legs stands at the first of them. */
function carpoolPrice({ legs, mobility }: Itinerary) {
  const price = mobility?.price;
  if (price?.amount_cents == null) return null;
  const cents = (price.charges ?? [])
    .filter((charge) => legs[charge.legs[0] ?? -1] && kindOf(legs[charge.legs[0]!]!) === "carpool")
    .reduce((sum, charge) => sum + charge.amount_cents, 0);
  return { cents, currency: price.currency };
}
