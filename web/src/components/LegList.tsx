import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import type { Itinerary, Leg, Schemas } from "../api/client";
import { useFormat } from "../format";
import { byLanguage } from "../i18n";
import { colourOf, isStreet, kindOf, lineName, textColourOf } from "../modes";
import { Icon } from "./icons";

type Props = {
  itinerary: Itinerary;
  names: { from: string; to: string };
  highlighted: number | null;
  onLeg: (leg: number | null) => void;
};

export function LegList({ itinerary, names, highlighted, onLeg }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const { legs, mobility } = itinerary;
  return (
    <div className="details">
      <ol className="legs">
        {legs.map((leg, at) => {
          const before = legs[at - 1];
          const wait = before ? (Date.parse(leg.startTime) - Date.parse(before.endTime)) / 1000 : 0;
          const after = legs[at + 1];
          const from = at === 0 ? names.from : leg.from.name;
          // The next leg's first line says the same: once is enough.
          const joined = after !== undefined && (isStreet(leg) || after.startTime === leg.endTime);
          return (
            <Fragment key={leg.startTime + leg.mode + leg.from.lat}>
              {wait >= 60 && <li className="wait">{t("leg.wait", { value: format.minutes(wait) })}</li>}
              <li
                className={`leg ${isStreet(leg) ? "street" : "ridden"}${joined ? " joined" : ""}${highlighted === at ? " lit" : ""}`}
                style={{ "--line-colour": colourOf(leg) } as React.CSSProperties}
                onMouseEnter={() => onLeg(at)}
                onMouseLeave={() => onLeg(null)}
              >
                <LegEnd
                  time={leg.startTime}
                  scheduled={leg.scheduledStartTime}
                  name={from}
                  track={leg.from.track}
                />
                <LegBody leg={leg} extra={mobility} />
                {!joined && (
                  <LegEnd
                    time={leg.endTime}
                    scheduled={leg.scheduledEndTime}
                    name={at === legs.length - 1 ? names.to : leg.to.name}
                    track={leg.to.track}
                  />
                )}
              </li>
            </Fragment>
          );
        })}
      </ol>
      {mobility?.price && <Charges legs={legs} price={mobility.price} />}
      {mobility?.own_price && (
        <OwnPrice own={mobility.own_price} currency={mobility.price?.currency ?? "EUR"} />
      )}
    </div>
  );
}

function LegEnd({
  time,
  scheduled,
  name,
  track,
}: {
  time: string;
  scheduled?: string;
  name: string;
  track?: string;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const late = scheduled !== undefined && Math.abs(Date.parse(time) - Date.parse(scheduled)) >= 60_000;
  return (
    <p className="leg-end">
      <time dateTime={time}>{format.time(time)}</time>
      <span className="leg-place">
        {name}
        {track && <small> {t("leg.track", { track })}</small>}
        {late && <small className="late"> {t("leg.late", { time: format.time(scheduled) })}</small>}
      </span>
    </p>
  );
}

function LegBody({ leg, extra }: { leg: Leg; extra: Itinerary["mobility"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const kind = kindOf(leg);
  const facts = [format.minutes(leg.duration)];
  if (isStreet(leg) && leg.distance !== undefined) facts.push(format.distance(leg.distance));
  const stops = leg.intermediateStops ?? [];
  const { audience = "everyone", takes = [] } = leg.mobility ?? {};
  const terms = [
    ...(audience === "everyone" ? [] : [t(`audience.${audience}`)]),
    ...takes.map((need) => t(`need.${need}`)),
  ];
  const bookAt = (name: string, price: NonNullable<Leg["mobility"]>["operator_price"]) =>
    price?.amount_cents == null
      ? t("leg.bookAt", { name })
      : t("leg.bookAtFor", { name, price: format.money(price.amount_cents, price.currency) });
  return (
    <div className="leg-body">
      <p className="leg-title">
        <span
          className="line-badge"
          style={isStreet(leg) ? undefined : { background: colourOf(leg), color: textColourOf(leg) }}
        >
          <Icon name={kind} size={16} />
          {isStreet(leg) || kind === "carpool" ? t(`mode.${kind}`) : lineName(leg) || t(`mode.${kind}`)}
        </span>
        {kind === "carpool" && leg.agencyName && <strong>{t("leg.driver", { name: leg.agencyName })}</strong>}
        {kind !== "carpool" && leg.headsign && <span>{t("leg.towards", { headsign: leg.headsign })}</span>}
        <span className="leg-facts">{facts.join(" · ")}</span>
        {leg.cancelled && <strong className="cancelled">{t("leg.cancelled")}</strong>}
      </p>
      {leg.mobility?.operator && leg.routeUrl && (
        <p>
          <a href={leg.routeUrl} target="_blank" rel="noopener noreferrer">
            {bookAt(leg.mobility.operator, leg.mobility.operator_price)}
          </a>
        </p>
      )}
      {kind === "carpool" && (
        <ul className="carpool-facts">
          <li>
            <Icon name="place" size={16} />
            <span>
              {t("leg.pickup", { place: leg.from.name })}
              <br />
              {t("leg.dropoff", { place: leg.to.name })}
            </span>
          </li>
          {extra?.seats_left != null && (
            <li>
              <Icon name="people" size={16} />
              {t("itinerary.seats", { count: extra.seats_left })}
            </li>
          )}
          {extra?.detour_s != null && (
            <li>
              <Icon name="detour" size={16} />
              {extra.detour_s < 30
                ? t("itinerary.noDetour")
                : t("itinerary.detour", { value: format.minutes(extra.detour_s) })}
            </li>
          )}
          {leg.mobility?.chance_to_run && (
            <li>
              <Icon name="info" size={16} />
              {t(`chance.${leg.mobility.chance_to_run}`)}
            </li>
          )}
          {terms.length > 0 && <li>{terms.join(" · ")}</li>}
        </ul>
      )}
      {stops.length > 0 && (
        <details className="stops">
          <summary>{t("leg.stops", { count: stops.length })}</summary>
          <ol>
            {stops.map((stop) => (
              <li key={`${stop.stopId}${stop.arrival}`}>
                <time>{format.time(stop.departure ?? stop.arrival ?? leg.startTime)}</time> {stop.name}
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}

function OwnPrice({
  own,
  currency,
}: {
  own: NonNullable<Schemas["ItineraryExtra"]["own_price"]>;
  currency: string;
}) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  return (
    <p className="own-price">
      {own.amount_cents !== null && (
        <strong>
          {t(own.amount_cents < 0 ? "ownPrice.spares" : "ownPrice.adds", {
            amount: format.money(Math.abs(own.amount_cents), currency),
          })}
        </strong>
      )}{" "}
      {own.why_fr && own.why_en && byLanguage(i18n.language, { fr: own.why_fr, en: own.why_en })}{" "}
      {t("ownPrice.soFar", {
        month: format.month(own.month),
        amount: format.money(own.so_far_cents, currency),
      })}
    </p>
  );
}

function Charges({ legs, price }: { legs: Leg[]; price: NonNullable<Schemas["ItineraryExtra"]["price"]> }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const reason = price.unknown_reason;
  const named = (at: number) => {
    const leg = legs[at];
    if (!leg) return "";
    return kindOf(leg) === "carpool" ? t("mode.carpool") : lineName(leg);
  };
  return (
    <section className="charges" aria-label={t("charges.title")}>
      <dl>
        {(price.charges ?? []).map((charge) => (
          <div key={charge.legs.join() + charge.rule}>
            <dt>
              {byLanguage(i18n.language, { fr: charge.label_fr, en: charge.label_en })}
              <small>
                {[
                  charge.legs.map(named).filter(Boolean).join(" + "),
                  charge.rule && t("charges.rule", { rule: charge.rule }),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </small>
            </dt>
            <dd>{format.money(charge.amount_cents, price.currency)}</dd>
          </div>
        ))}
        <div className="total">
          <dt>{price.amount_cents == null ? t("charges.unknown") : t("charges.total")}</dt>
          <dd>
            {price.amount_cents == null
              ? reason && t(`unknownPrice.${reason}`, { defaultValue: t("unknownPrice.partial") })
              : format.money(price.amount_cents, price.currency)}
          </dd>
        </div>
      </dl>
    </section>
  );
}
