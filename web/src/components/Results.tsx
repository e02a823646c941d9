import { Fragment, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Focus } from "../App";
import { ApiError } from "../api/client";
import { useFormat } from "../format";
import { byLanguage } from "../i18n";
import { kindOf } from "../modes";
import { type Search, writeSearch } from "../search";
import { useTerritory } from "../territory";
import type { Option, PlanView } from "../usePlan";
import { ItineraryCard } from "./ItineraryCard";
import { Icon } from "./icons";
import { SaveWish } from "./SaveWish";

type Props = { plan: PlanView; search: Search; focus: Focus; onFocus: (focus: Focus) => void };

export function Results({ plan, search, focus, onFocus }: Props) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const territory = useTerritory().data;
  const { query, itineraries, direct, messages } = plan;
  const [open, setOpen] = useState<string | null>(null);
  const [now, setNow] = useState(() => Date.now());
  const names = { from: search.from?.name ?? "", to: search.to?.name ?? "" };

  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 20_000);
    return () => clearInterval(timer);
  }, []);

  const card = (option: Option) => (
    <ItineraryCard
      option={option}
      names={names}
      riders={search.riders}
      now={now}
      selected={focus.selected === option.key}
      hovered={focus.hovered === option.key}
      open={open === option.key}
      leg={focus.selected === option.key ? focus.leg : null}
      onToggle={() => {
        setOpen(open === option.key ? null : option.key);
        onFocus({ selected: option.key, hovered: null, leg: null });
      }}
      onHover={(hovered) => onFocus({ ...focus, hovered: hovered ? option.key : null })}
      onLeg={(leg) => onFocus({ selected: option.key, hovered: null, leg })}
    />
  );

  return (
    <section className="results" aria-labelledby="results-title" aria-busy={query.isPending}>
      <div className="results-head">
        <h2 id="results-title">{t("results.title")}</h2>
        <p role="status">
          {query.isPending
            ? t("results.loading")
            : query.isSuccess && t("results.count", { count: itineraries.length })}
        </p>
      </div>

      <div aria-live="polite">
        {plan.generatedOffers && !territory?.generated && (
          <p className="offers-note">{t("generated.offers")}</p>
        )}
        {messages.map((message) => (
          <p className="message" key={message.code + message.fr}>
            <Icon name="info" /> <span>{byLanguage(i18n.language, message)}</span>
          </p>
        ))}
        {query.isSuccess && itineraries.length === 0 && messages.length === 0 && (
          <p className="message">
            <Icon name="info" />
            <span>
              {t("results.empty")} {t("results.emptyHelp")}
            </span>
          </p>
        )}
      </div>
      {query.isError && <Failure error={query.error} onRetry={() => query.refetch()} />}

      {query.isPending && (
        <div className="skeletons" aria-hidden="true">
          <div />
          <div />
          <div />
        </div>
      )}

      <div className="before">
        {direct.length > 0 && (
          <ul className="tiles" aria-label={t("results.direct")}>
            {direct.map((option) => {
              const kind = kindOf(option.itinerary.legs[0]!);
              const metres = option.itinerary.legs.reduce((sum, leg) => sum + (leg.distance ?? 0), 0);
              return (
                <li key={option.key}>
                  <button
                    className="tile"
                    type="button"
                    aria-pressed={focus.selected === option.key}
                    onClick={() => onFocus({ selected: option.key, hovered: null, leg: null })}
                  >
                    <Icon name={kind} size={24} />
                    <span>{t(`direct.${kind}`, { defaultValue: t(`mode.${kind}`) })}</span>
                    <strong>{format.duration(option.itinerary.duration)}</strong>
                    {metres > 0 && <span className="muted">{format.distance(metres)}</span>}
                  </button>
                </li>
              );
            })}
          </ul>
        )}
        {query.isSuccess && (query.hasPreviousPage || itineraries.length > 0) && (
          <PageButton
            label={t("results.earlier")}
            end={t("results.noneEarlier")}
            more={query.hasPreviousPage}
            busy={query.isFetchingPreviousPage}
            onPress={() => query.fetchPreviousPage()}
          />
        )}
      </div>
      <ol className="itineraries">
        {itineraries.map((option, at) => {
          const day = format.day(option.itinerary.startTime);
          const before = itineraries[at - 1];
          return (
            <Fragment key={option.key}>
              {(!before || format.day(before.itinerary.startTime) !== day) && <li className="day">{day}</li>}
              <li>{card(option)}</li>
            </Fragment>
          );
        })}
      </ol>
      {query.isSuccess && (query.hasNextPage || itineraries.length > 0) && (
        <PageButton
          label={t("results.later")}
          end={t("results.noneLater")}
          more={query.hasNextPage}
          busy={query.isFetchingNextPage}
          onPress={() => query.fetchNextPage()}
        />
      )}
      {query.isSuccess && search.carpool && plan.ends && (
        // Another search is another wish.
        <SaveWish key={writeSearch(search, "fr")} search={search} ends={plan.ends} />
      )}
    </section>
  );
}

type PageButtonProps = { label: string; end: string; more: boolean; busy: boolean; onPress: () => void };

function PageButton({ label, end, more, busy, onPress }: PageButtonProps) {
  if (!more) return <p className="page-end">{end}</p>;
  return (
    <button className="page-button" type="button" aria-busy={busy} disabled={busy} onClick={onPress}>
      {label}
    </button>
  );
}

export function Failure({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const { t } = useTranslation();
  const title = !(error instanceof ApiError)
    ? t("results.offline")
    : t([`refusal.${error.code}`, `results.error${error.status}`, "results.error"]);
  return (
    <div className="failure" role="alert">
      <Icon name="alert" />
      <p>
        <strong>{title}</strong>
        {error instanceof ApiError && error.message && <span>{error.message}</span>}
      </p>
      <button type="button" onClick={onRetry}>
        {t("results.retry")}
      </button>
    </div>
  );
}
