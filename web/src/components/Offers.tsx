import { useTranslation } from "react-i18next";
import { changeOffer, endOffer, listOffers, type Offer, readPages } from "../api/client";
import { useFormat } from "../format";
import { useNearName } from "../nearName";
import { useOwn, useOwnAct } from "../session";
import { Listed } from "./Listed";
import { WEEKDAYS } from "./OfferForm";
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

function OfferCard({ offer }: { offer: Offer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const act = useOwnAct((does: "pause" | "resume" | "end") =>
    does === "end" ? endOffer(offer.id) : changeOffer(offer.id, does),
  );
  const does = offer.state === "paused" ? "resume" : "pause";
  const everyDay = offer.weekdays.length === WEEKDAYS.length;
  return (
    <>
      <p className={`state ${offer.state}`}>{t(`offer.state.${offer.state}`)}</p>
      <p className="booking-day">
        {useNearName(offer.start)} → {useNearName(offer.end)}
      </p>
      <p>
        {t("offer.leaves", { from: offer.depart_from.slice(0, 5), to: offer.depart_to.slice(0, 5) })}
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
        ].join(" · ")}
      </p>
      <Refusal error={act.error} />
      <p className="acts">
        <button className="act" type="button" disabled={act.isPending} onClick={() => act.mutate(does)}>
          {t(`offer.${does}`)}
        </button>
        <Sure
          label={t("offer.end")}
          question={t("offer.sureEnd")}
          disabled={act.isPending}
          onSure={() => act.mutate("end")}
        />
      </p>
    </>
  );
}
