import { useTranslation } from "react-i18next";
import { type Booking, type BookingState, changeBooking, listBookings, readPages } from "../api/client";
import { useOwn, useOwnAct } from "../session";
import { BookingFacts } from "./BookingFacts";
import { Listed } from "./Listed";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

const AHEAD: BookingState[] = ["held", "pending_driver", "confirmed", "change_proposed", "boarded"];
const CANCELLABLE: BookingState[] = ["held", "pending_driver", "confirmed"];
const isOver = ({ state }: Booking) => !AHEAD.includes(state);

export function Bookings() {
  const { t } = useTranslation();
  const query = useOwn("bookings", readBookings);
  return (
    <Listed
      title={t("trips.bookings")}
      query={query}
      none={t("trips.noBookings")}
      card={(booking) => <BookingCard booking={booking} />}
      isOver={isOver}
    />
  );
}

/** The next one first. */
async function readBookings() {
  const pages = await readPages(listBookings);
  return pages
    .flatMap(({ bookings }) => bookings)
    .sort((a, b) => Date.parse(a.pickup_from) - Date.parse(b.pickup_from));
}

function BookingCard({ booking }: { booking: Booking }) {
  const { t } = useTranslation();
  const change = useOwnAct((act: Parameters<typeof changeBooking>[1]) => changeBooking(booking.id, act));
  return (
    <>
      <BookingFacts booking={isOver(booking) ? { ...booking, code: null } : booking} />
      <Refusal error={change.error} />
      <p className="acts">
        {booking.state === "change_proposed" && (
          <>
            <button
              className="act strong"
              type="button"
              disabled={change.isPending}
              onClick={() => change.mutate("accept-change")}
            >
              {t("booking.acceptChange")}
            </button>
            <Sure
              label={t("booking.refuseChange")}
              question={t("booking.sureRefuse")}
              disabled={change.isPending}
              onSure={() => change.mutate("refuse-change")}
            />
          </>
        )}
        {CANCELLABLE.includes(booking.state) && (
          <Sure
            label={t("booking.cancel")}
            question={t("booking.sureCancel")}
            disabled={change.isPending}
            onSure={() => change.mutate("cancel")}
          />
        )}
      </p>
    </>
  );
}
