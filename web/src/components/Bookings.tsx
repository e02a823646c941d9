import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useActingWords } from "../acting";
import {
  type Booking,
  type BookingState,
  changeBooking,
  listBookings,
  readPages,
  type Schemas,
  takePlanB,
} from "../api/client";
import { useOwn, useOwnAct } from "../session";
import { BookingFacts } from "./BookingFacts";
import { LegList } from "./LegList";
import { Listed } from "./Listed";
import { isNear, LiveTimes } from "./LiveTimes";
import { RateDriver, SPOKEN_MS } from "./RateDriver";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

const AHEAD: BookingState[] = ["held", "pending_driver", "confirmed", "change_proposed", "boarded"];
const CANCELLABLE: BookingState[] = ["held", "pending_driver", "confirmed"];
/** Somebody did not keep to it: its rider still has to get there. */
const LEFT_WITHOUT: BookingState[] = ["change_proposed", "cancelled_driver", "declined", "no_show_driver"];
/** Of these the car may be followed. */
const SURE: BookingState[] = ["confirmed", "change_proposed", "boarded"];
const isAhead = ({ state }: Booking) => AHEAD.includes(state);
const COMPLAINED_OF: BookingState[] = ["completed", "no_show_rider", "no_show_driver", "cancelled_driver"];
const SOON_MS = 7 * 86_400_000;
/** After the pick-up window. */
const ABSENT_MS = 15 * 60_000;
type Taken = Schemas["Taken"];

export function Bookings() {
  const { t } = useTranslation();
  const words = useActingWords();
  const query = useOwn("bookings", readBookings);
  const [taken, setTaken] = useState<Taken | null>(null);
  /** A ride without its driver stays in sight until its time is over, or another seat is booked for it. */
  const isOver = (booking: Booking) =>
    !isAhead(booking) && !(needsPlanB(booking) && !query.data?.some((other) => replaces(other, booking)));
  return (
    <>
      {taken && <PlanB taken={taken} />}
      <Listed
        title={t("trips.bookings", words)}
        query={{ ...query, data: query.data?.filter(isSoon) } as typeof query}
        none={t("trips.noBookings", words)}
        card={(booking) => <BookingCard booking={booking} onTaken={setTaken} />}
        isOver={isOver}
      />
    </>
  );
}

/** Dates of a series that are far ahead stand in the series alone. */
const isSoon = (booking: Booking) =>
  !booking.series_id || Date.parse(booking.pickup_from) < Date.now() + SOON_MS;

/** When its rider may say that the driver did not come. */
const mayBeAbsent = ({ state, pickup_to, late_s }: Booking) =>
  (state === "confirmed" || state === "change_proposed") &&
  Date.now() >= Date.parse(pickup_to) + late_s * 1000 + ABSENT_MS;

const mayComplain = ({ state, dropoff_by }: Booking) =>
  COMPLAINED_OF.includes(state) && Date.now() < Date.parse(dropoff_by) + SPOKEN_MS;

const needsPlanB = ({ state, dropoff_by }: Booking) =>
  LEFT_WITHOUT.includes(state) && Date.parse(dropoff_by) > Date.now();

const replaces = (other: Booking, booking: Booking) =>
  isAhead(other) && other.pickup_from.slice(0, 10) === booking.pickup_from.slice(0, 10);

/** How one gets there now. */
function PlanB({ taken: { itinerary, bookings } }: { taken: Taken }) {
  const { t } = useTranslation();
  const [leg, setLeg] = useState<number | null>(null);
  return (
    <section className="plan-b" aria-label={t("planB.title")} role="status">
      <h3>{t("planB.title")}</h3>
      <p>{t(bookings.length > 0 ? "planB.booked" : "planB.nothingToBook", { count: bookings.length })}</p>
      <LegList
        itinerary={itinerary}
        names={{ from: t("planB.here"), to: t("planB.there") }}
        highlighted={leg}
        onLeg={setLeg}
      />
    </section>
  );
}

/** The next one first. */
async function readBookings() {
  const pages = await readPages(listBookings);
  return pages
    .flatMap(({ bookings }) => bookings)
    .sort((a, b) => Date.parse(a.pickup_from) - Date.parse(b.pickup_from));
}

function BookingCard({ booking, onTaken }: { booking: Booking; onTaken: (taken: Taken) => void }) {
  const { t } = useTranslation();
  const words = useActingWords();
  const change = useOwnAct((act: Parameters<typeof changeBooking>[1]) => changeBooking(booking.id, act));
  const planB = useOwnAct(() => takePlanB(booking.id).then(onTaken));
  return (
    <>
      <BookingFacts booking={isAhead(booking) ? booking : { ...booking, code: null }} />
      {SURE.includes(booking.state) && isNear(booking) && <LiveTimes booking={booking} />}
      <RateDriver booking={booking} />
      <Refusal error={change.error ?? planB.error} />
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
        {needsPlanB(booking) && (
          <button
            className="act strong"
            type="button"
            disabled={planB.isPending}
            onClick={() => planB.mutate(undefined)}
          >
            {t("planB.take")}
          </button>
        )}
        {mayBeAbsent(booking) && (
          <Sure
            label={t("booking.driverAbsent")}
            question={t("booking.sureDriverAbsent")}
            disabled={change.isPending}
            onSure={() => change.mutate("driver-absent")}
          />
        )}
        {mayComplain(booking) && (
          <Sure
            label={t("booking.complain")}
            question={t("booking.sureComplain")}
            disabled={change.isPending}
            onSure={() => change.mutate("complain")}
          />
        )}
        {CANCELLABLE.includes(booking.state) && (
          <Sure
            label={t("booking.cancel", words)}
            question={t("booking.sureCancel")}
            disabled={change.isPending}
            onSure={() => change.mutate("cancel")}
          />
        )}
      </p>
    </>
  );
}
