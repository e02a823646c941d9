import { useState } from "react";
import { useTranslation } from "react-i18next";
import { book, type Itinerary } from "../api/client";
import { useFormat } from "../format";
import { kindOf } from "../modes";
import { useKeyedAct, useMe } from "../session";
import { BookingFacts } from "./BookingFacts";
import { Refusal } from "./Refusal";
import { SignIn } from "./SignIn";

/** Book the seats of an itinerary's carpool legs, all or none, and say what came of it. */
export function BookSeats({ itinerary }: { itinerary: Itinerary }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const [asking, setAsking] = useState(false);
  const quotes = itinerary.legs.filter((leg) => kindOf(leg) === "carpool").map((leg) => leg.mobility?.quote);
  const wanted = quotes.filter((quote) => quote !== undefined);
  const booking = useKeyedAct(book);

  if (wanted.length === 0 || wanted.length < quotes.length) return null;

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
      </div>
      <Refusal error={booking.error} />
      <SignIn isOpen={asking} onOpenChange={setAsking} />
    </div>
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
