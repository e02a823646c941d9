import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  answerPassenger,
  boardPassenger,
  changeRide,
  type DonePassenger,
  listRides,
  type Passenger,
  type Ride,
  ratePassenger,
  tellLate,
  tellPassenger,
} from "../api/client";
import { useFormat } from "../format";
import { useSharedPosition } from "../live";
import { useOwn, useOwnAct } from "../session";
import { useTimezone } from "../territory";
import { addDays, localDate } from "../time";
import { Listed } from "./Listed";
import { Refusal } from "./Refusal";
import { Stars } from "./Stars";
import { Sure } from "./Sure";

const LATE_S = 600;
/** So long after a ride one may rate its riders. */
const RATED_DAYS = 7;
const isOver = ({ state }: Ride) => state !== "scheduled" && state !== "en_route";
type Act = ReturnType<typeof useRideAct>;
const useRideAct = () => useOwnAct((act: () => Promise<Ride>) => act());

/** Rides that somebody has booked, to their driver. */
export function Rides() {
  const { t } = useTranslation();
  const today = localDate(new Date(), useTimezone());
  const query = useOwn("rides", () => listRides(addDays(today, -RATED_DAYS)));
  return (
    <Listed
      title={t("trips.rides")}
      query={query}
      none={t("trips.noRides")}
      card={(ride) => <RideCard ride={ride} />}
      isOver={isOver}
    />
  );
}

function RideCard({ ride }: { ride: Ride }) {
  const { t } = useTranslation();
  const format = useFormat();
  const act = useRideAct();
  const today = localDate(new Date(), useTimezone());
  const open = !isOver(ride);
  const driving = open && ride.date <= today;
  const riderOf = (booking: string) =>
    ride.passengers.find(({ booking_id }) => booking_id === booking)?.rider ?? "";
  return (
    <>
      <p className={`state ${ride.state}`}>{t(`ride.state.${ride.state}`)}</p>
      <p className="booking-day">{format.fullDay(ride.date)}</p>
      {ride.late_s > 0 && <p>{t("ride.late", { value: format.minutes(ride.late_s) })}</p>}
      {ride.stops.length > 0 && (
        <ol className="ride-stops" aria-label={t("ride.stops")}>
          {ride.stops.map((stop) => (
            <li key={stop.booking_id + stop.is_pickup}>
              <time dateTime={stop.at}>{format.time(stop.at)}</time>
              <span>
                {stop.door ? (
                  <a href={`geo:${stop.door.lat},${stop.door.lon}`}>
                    {t("booking.atDoor", { name: stop.name })}
                  </a>
                ) : (
                  (stop.at_door && t("ride.nearDoor", { name: stop.name })) || stop.name
                )}
                <small>
                  {t(stop.is_pickup ? "ride.getsIn" : "ride.getsOut", { name: riderOf(stop.booking_id) })}
                </small>
              </span>
            </li>
          ))}
        </ol>
      )}
      {ride.passengers.map((passenger) => (
        <PassengerRow
          key={passenger.booking_id}
          ride={ride}
          passenger={passenger}
          act={act}
          driving={driving}
        />
      ))}
      {ride.done.map((passenger) => (
        <RatePassenger key={passenger.booking_id} ride={ride} passenger={passenger} />
      ))}
      <Refusal error={act.error} />
      {driving && <SharePosition ride={ride} />}
      {open && (
        <p className="acts">
          {driving && (
            <>
              <button
                className="act strong"
                type="button"
                disabled={act.isPending}
                onClick={() =>
                  act.mutate(() => changeRide(ride.id, ride.state === "scheduled" ? "start" : "end"))
                }
              >
                {t(ride.state === "scheduled" ? "ride.start" : "ride.end")}
              </button>
              <button
                className="act"
                type="button"
                disabled={act.isPending}
                onClick={() => act.mutate(() => tellLate(ride.id, LATE_S))}
              >
                {t("ride.tellLate", { count: LATE_S / 60 })}
              </button>
            </>
          )}
          <Sure
            label={t("ride.cancel")}
            question={t("ride.sureCancel")}
            disabled={act.isPending}
            onSure={() => act.mutate(() => changeRide(ride.id, "cancel"))}
          />
        </p>
      )}
    </>
  );
}

/** Say how a rider was; or what one has said of him. */
function RatePassenger({ ride, passenger }: { ride: Ride; passenger: DonePassenger }) {
  const { t } = useTranslation();
  const { booking_id, rider, stars_given } = passenger;
  const rate = useOwnAct((stars: number) => ratePassenger(ride.id, booking_id, stars));
  return (
    <div className="passenger">
      <p>
        <strong>{rider}</strong>
        <span className={`state ${passenger.state}`}>{t(`ride.passenger.${passenger.state}`)}</span>
      </p>
      {stars_given == null ? (
        <Stars
          title={t("rate.title", { name: rider })}
          disabled={rate.isPending}
          onRate={(stars) => rate.mutate(stars)}
        />
      ) : (
        <p className="muted">{t("rate.given", { count: stars_given })}</p>
      )}
      <Refusal error={rate.error} />
    </div>
  );
}

/** An agent calls a rider who has only a telephone. */
function TellPassenger({ ride, passenger }: { ride: Ride; passenger: Passenger }) {
  const { t } = useTranslation();
  const say = useOwnAct((text: string) => tellPassenger(ride.id, passenger.booking_id, text));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    say.mutate(String(new FormData(event.currentTarget).get("text")));
  };
  return (
    <form className="acts" onSubmit={submit}>
      <label className="field">
        <span>{t("ride.byAgent", { name: passenger.rider })}</span>
        <input name="text" required maxLength={300} />
      </label>
      <button className="act" type="submit" disabled={say.isPending}>
        {t("ride.tell")}
      </button>
      <span role="status">{say.isSuccess && t("ride.told")}</span>
      <Refusal error={say.error} />
    </form>
  );
}

/** While this page is open, riders learn when the car comes. */
function SharePosition({ ride }: { ride: Ride }) {
  const { t } = useTranslation();
  const [on, setOn] = useState(false);
  const fault = useSharedPosition(ride.id, on);
  return (
    <>
      <label className="share-position">
        <input type="checkbox" checked={on} onChange={() => setOn(!on)} />
        {t("live.share")}
      </label>
      {on && <p role="status">{t(fault ?? "live.sharing")}</p>}
    </>
  );
}

type RowProps = { ride: Ride; passenger: Passenger; act: Act; driving: boolean };

/** One rider: an answer to his request, then in by his code, then out. */
function PassengerRow({ ride, passenger, act, driving }: RowProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const heading = useId();
  const { booking_id, rider, state } = passenger;
  const board = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget).get("code")).trim();
    act.mutate(() => boardPassenger(ride.id, booking_id, code));
  };
  const button = (does: Parameters<typeof answerPassenger>[2], strong = false) => (
    <button
      className={strong ? "act strong" : "act"}
      type="button"
      disabled={act.isPending}
      aria-describedby={heading}
      onClick={() => act.mutate(() => answerPassenger(ride.id, booking_id, does))}
    >
      {t(`ride.${does}`)}
    </button>
  );
  return (
    <div className="passenger">
      <p id={heading}>
        <strong>{rider}</strong> · {t("booking.seats", { count: passenger.seats })} ·{" "}
        {t("ride.window", {
          from: format.time(passenger.pickup_from),
          to: format.time(passenger.pickup_to),
        })}
        <span className={`state ${state}`}>{t(`ride.passenger.${state}`)}</span>
      </p>
      {state === "pending_driver" && (
        <p className="acts">
          {button("accept", true)}
          {button("decline")}
        </p>
      )}
      {driving && (state === "confirmed" || state === "change_proposed") && (
        <form className="acts" onSubmit={board}>
          <label className="code-field">
            {t("ride.code")}
            <input name="code" required maxLength={20} inputMode="numeric" autoComplete="off" />
          </label>
          <button className="act strong" type="submit" disabled={act.isPending} aria-describedby={heading}>
            {t("ride.board")}
          </button>
          {button("absent")}
        </form>
      )}
      {state === "boarded" && <p className="acts">{button("alight", true)}</p>}
      {passenger.by_agent && <TellPassenger ride={ride} passenger={passenger} />}
    </div>
  );
}
