import { useId } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../format";
import type { Option } from "../usePlan";
import { BookSeats } from "./BookSeats";
import { ChooseItinerary, useChosen } from "./ChooseItinerary";
import { Icon } from "./icons";
import { LegList } from "./LegList";
import { ModeStrip } from "./ModeStrip";

type Props = {
  option: Option;
  names: { from: string; to: string };
  riders: number;
  now: number;
  selected: boolean;
  hovered: boolean;
  open: boolean;
  leg: number | null;
  onToggle: () => void;
  onHover: (hovered: boolean) => void;
  onLeg: (leg: number | null) => void;
};

export function ItineraryCard(props: Props) {
  const { option, riders, selected, hovered, open } = props;
  const { t } = useTranslation();
  const format = useFormat();
  const details = useId();
  const { itinerary, badges } = option;
  const { chosen } = useChosen(itinerary);
  const { startTime, endTime, mobility } = itinerary;
  const days = format.daysBetween(startTime, endTime);
  const listed = mobility?.price?.amount_cents;
  const own = mobility?.own_price?.amount_cents ?? null;
  const cents = own ?? listed;
  const until = Date.parse(startTime) - props.now;

  return (
    <article
      className={`card${selected ? " selected" : ""}${hovered ? " hovered" : ""}`}
      data-family={mobility?.family}
      onMouseEnter={() => props.onHover(true)}
      onMouseLeave={() => props.onHover(false)}
    >
      <button
        className="card-head"
        type="button"
        aria-expanded={open}
        aria-controls={details}
        onClick={props.onToggle}
      >
        {(chosen || badges.length > 0) && (
          <span className="badges">
            {chosen && <span className="badge chosen">{t("choose.chosen")}</span>}
            {badges.map((badge) => (
              <span key={badge} className={`badge ${badge}`}>
                {t(`badge.${badge}`)}
              </span>
            ))}
          </span>
        )}
        <span className="times">
          <time dateTime={startTime}>{format.time(startTime)}</time>
          <span className="arrow" aria-hidden="true">
            →
          </span>
          <time dateTime={endTime}>{format.time(endTime)}</time>
          {days > 0 && <sup>{t("itinerary.nextDay", { count: days })}</sup>}
          {until > 0 && until < 3_600_000 && (
            <span className="relative">
              {until < 60_000
                ? t("itinerary.leaving")
                : t("itinerary.in", { value: format.minutes(until / 1000) })}
            </span>
          )}
          <span className="duration">{format.duration(itinerary.duration)}</span>
        </span>
        <ModeStrip legs={itinerary.legs} highlighted={props.leg} />
        <span className="facts">
          <span className={`price${cents == null ? " unknown" : ""}`}>
            {cents == null ? t("itinerary.priceUnknown") : format.money(cents, mobility!.price!.currency)}
            {cents != null && riders > 1 && <small> {t("itinerary.for", { count: riders })}</small>}
            {own !== null && listed != null && own !== listed && (
              <small>
                {" "}
                {t("itinerary.forYou", { listed: format.money(listed, mobility!.price!.currency) })}
              </small>
            )}
          </span>
          <span>
            <Icon name="leaf" size={16} />
            {mobility?.co2_g == null
              ? t("itinerary.co2Unknown")
              : t("itinerary.co2", { value: format.co2(mobility.co2_g) })}
          </span>
          <span>
            <Icon name="change" size={16} />
            {t("itinerary.changes", { count: itinerary.transfers })}
          </span>
          {mobility?.family === "carpool" && mobility.seats_left != null && (
            <span>
              <Icon name="people" size={16} />
              {t("itinerary.seats", { count: mobility.seats_left })}
            </span>
          )}
          <span className="chevron">
            <span className="unseen">{open ? t("itinerary.hide") : t("itinerary.details")}</span>
            <Icon name="chevron" />
          </span>
        </span>
      </button>
      <div id={details} hidden={!open}>
        {open && (
          <LegList itinerary={itinerary} names={props.names} highlighted={props.leg} onLeg={props.onLeg} />
        )}
        {/* Also while folded: what came of a booking must not be forgotten. */}
        <BookSeats itinerary={itinerary} names={props.names} riders={riders} />
        <ChooseItinerary itinerary={itinerary} />
        {open && (
          <a className="to-map" href="#map">
            <Icon name="place" size={16} /> {t("itinerary.map")}
          </a>
        )}
      </div>
    </article>
  );
}
