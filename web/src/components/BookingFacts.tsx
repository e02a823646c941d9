import { useTranslation } from "react-i18next";
import { useActing } from "../acting";
import type { Booking } from "../api/client";
import { useFormat } from "../format";
import { Icon } from "./icons";
import { ReportPoint } from "./ReportPoint";

/** What the rider must know of a booked seat: whether it is sure, where, when, and the code to say. */
export function BookingFacts({ booking }: { booking: Booking }) {
  const { t } = useTranslation();
  const format = useFormat();
  const acting = useActing();
  const { state, code, price_cents, fallback, vehicle: car } = booking;
  const points = [
    ...(booking.pickup_door ? [] : [{ id: booking.pickup_point, name: booking.pickup_name }]),
    ...(booking.dropoff_door ? [] : [{ id: booking.dropoff_point, name: booking.dropoff_name }]),
  ];
  return (
    <>
      <p className={`state ${state}`}>{t(`booking.state.${state}`)}</p>
      <p className="booking-day">{format.day(booking.pickup_from)}</p>
      {booking.late_s > 0 && (
        <p className="late">{t("booking.late", { value: format.minutes(booking.late_s) })}</p>
      )}
      <dl className="booking-ends">
        <div>
          <dt>
            {t("booking.window", {
              from: format.time(booking.pickup_from),
              to: format.time(booking.pickup_to),
            })}
          </dt>
          <dd>
            {booking.pickup_door ? t("booking.atDoor", { name: booking.pickup_name }) : booking.pickup_name}
          </dd>
        </div>
        <div>
          <dt>{t("booking.dropoff", { time: format.time(booking.dropoff_by) })}</dt>
          <dd>
            {booking.dropoff_door
              ? t("booking.atDoor", { name: booking.dropoff_name })
              : booking.dropoff_name}
          </dd>
        </div>
      </dl>
      <p className="booking-facts">
        <span>
          <Icon name="people" size={16} /> {t("booking.seats", { count: booking.seats })}
        </span>
        <span>
          {booking.driver}
          {booking.driver_stars != null &&
            ` · ${t("booking.stars", { value: format.number(booking.driver_stars, 1), count: booking.driver_ratings })}`}
        </span>
        {price_cents != null && <span>{format.money(price_cents, booking.currency)}</span>}
        {booking.needs.length > 0 && <span>{booking.needs.map((need) => t(`need.${need}`)).join(", ")}</span>}
      </p>
      {car && (
        <p className="vehicle">
          {t("vehicle.by", { car: [car.make, car.colour, car.plate].filter(Boolean).join(", ") })}
        </p>
      )}
      {code && fallback && (
        <ul className="fallback">
          <li>
            {fallback.plan_b
              ? t("booking.planB", {
                  time: format.time(fallback.plan_b.arrive_at),
                  by: t(`booking.by.${fallback.plan_b.family}`),
                })
              : t("booking.noPlanB")}
          </li>
          <li>
            {fallback.way_home
              ? t("booking.wayHome", {
                  time: format.time(fallback.way_home.leave_at),
                  by: t(`booking.by.${fallback.way_home.family}`),
                })
              : t("booking.noWayHome")}
          </li>
        </ul>
      )}
      {code && (
        <p className="code">
          {acting ? t("agent.code", { name: acting.alias }) : t("booking.code")} <strong>{code}</strong>
        </p>
      )}
      {code && points.length > 0 && <ReportPoint points={points} />}
    </>
  );
}
