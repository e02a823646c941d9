import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeOffer, endOffer, listOffers, type Offer, readPages } from "../api/client";
import { useFormat } from "../format";
import { useNearName } from "../nearName";
import { useOwn, useOwnAct } from "../session";
import { Listed } from "./Listed";
import { OfferForm, WEEKDAYS } from "./OfferForm";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

export function Offers() {
  const { t } = useTranslation();
  const query = useOwn("offers", readOffers);
  return (
    <Listed
      title={t("trips.offers")}
      query={query}
      none={t("trips.noOffers")}
      card={(offer) => <OfferCard offer={offer} />}
    />
  );
}

async function readOffers() {
  const pages = await readPages(listOffers);
  return pages.flatMap(({ offers }) => offers).filter(({ state }) => state !== "ended");
}

const clock = (time: string | null | undefined) => time?.slice(0, 5) ?? "";

function OfferCard({ offer }: { offer: Offer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const names = { start: useNearName(offer.start), end: useNearName(offer.end) };
  /** The version that was opened: what somebody else has changed meanwhile is not overwritten. */
  const [opened, setOpened] = useState<Offer | null>(null);
  const act = useOwnAct((does: "pause" | "resume" | "end") =>
    does === "end" ? endOffer(offer.id) : changeOffer(offer.id, does),
  );
  const { audience = "everyone", takes = [] } = offer;
  const does = offer.state === "paused" ? "resume" : "pause";
  const everyDay = offer.weekdays.length === WEEKDAYS.length;
  return (
    <>
      <p className={`state ${offer.state}`}>{t(`offer.state.${offer.state}`)}</p>
      <p className="booking-day">
        {names.start} → {names.end}
      </p>
      <p>
        {offer.arrive_from != null
          ? t("offer.arrives", { from: clock(offer.arrive_from), to: clock(offer.arrive_to) })
          : t("offer.leaves", { from: clock(offer.depart_from), to: clock(offer.depart_to) })}
        {", "}
        {offer.valid_from === offer.valid_to
          ? format.fullDay(offer.valid_from)
          : t("offer.between", {
              from: format.shortDay(offer.valid_from),
              to: format.shortDay(offer.valid_to),
            })}
      </p>
      {offer.valid_from !== offer.valid_to && (
        <p>
          {everyDay
            ? t("offer.everyDay")
            : WEEKDAYS.filter((day) => offer.weekdays.includes(day))
                .map((day) => t(`weekday.${day}`))
                .join(", ")}
        </p>
      )}
      <p className="muted">
        {[
          t("booking.seats", { count: offer.seats }),
          t("offer.detour", { value: format.minutes(offer.detour_budget_s) }),
          t(`offer.${offer.acceptance}`),
          ...(offer.door ? [t("offer.atDoor")] : []),
          ...(audience === "everyone" ? [] : [t(`audience.${audience}`)]),
          ...takes.map((need) => t(`need.${need}`)),
        ].join(" · ")}
      </p>
      <Refusal error={act.error} />
      <p className="acts">
        <button className="act" type="button" disabled={act.isPending} onClick={() => act.mutate(does)}>
          {t(`offer.${does}`)}
        </button>
        <button
          className="act"
          type="button"
          aria-expanded={opened !== null}
          onClick={() => setOpened(opened ? null : offer)}
        >
          {t("offer.edit")}
        </button>
        <Sure
          label={t("offer.end")}
          question={t("offer.sureEnd")}
          disabled={act.isPending}
          onSure={() => act.mutate("end")}
        />
      </p>
      {opened && (
        <div className="offer">
          <OfferForm offer={opened} names={names} onDone={() => setOpened(null)} />
        </div>
      )}
    </>
  );
}
