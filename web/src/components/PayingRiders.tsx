import { type FormEvent, useId } from "react";
import { useTranslation } from "react-i18next";
import {
  listPaidFor,
  offerToPay,
  type PaidRider,
  payMyself,
  readPayer,
  stopPaying,
  takePayer,
} from "../api/client";
import { useFormat } from "../format";
import { useOwn, useOwnAct } from "../session";
import { useTimezone } from "../territory";
import { localDate } from "../time";
import { Listed } from "./Listed";
import { Refusal } from "./Refusal";
import { Failure } from "./Results";
import { Sure } from "./Sure";

/** For whom one pays, and who pays for oneself: by a code that one gives to the other. */
export function PayingRiders() {
  return (
    <>
      <PaidFor />
      <PaidBy />
    </>
  );
}

function PaidFor() {
  const { t } = useTranslation();
  const format = useFormat();
  const today = localDate(new Date(), useTimezone());
  const paid = useOwn("paid for", listPaidFor);
  const offer = useOwnAct(offerToPay);
  const stop = useOwnAct(stopPaying);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    offer.mutate(String(new FormData(event.currentTarget).get("until")));
  };
  const isOver = ({ valid_to }: PaidRider) => valid_to < today;
  return (
    <div className="paying">
      <Listed
        title={t("paying.for")}
        query={paid}
        none={t("paying.forNobody")}
        isOver={isOver}
        card={(rider) => (
          <>
            <p>
              <strong>{rider.alias}</strong>, {t("paying.from", { day: format.shortDay(rider.valid_from) })}{" "}
              {t("paying.until", { day: format.shortDay(rider.valid_to) })}
            </p>
            {rider.months.length === 0 ? (
              <p className="muted">{t("paying.noMonth")}</p>
            ) : (
              <ul aria-label={t("paying.months", { name: rider.alias })}>
                {rider.months.map(({ month, amount_cents, currency }) => (
                  <li key={month} className="bill-part">
                    <span>{format.month(month)}</span> <span>{format.money(amount_cents, currency)}</span>
                  </li>
                ))}
              </ul>
            )}
            {!isOver(rider) && (
              <p>
                <Sure
                  label={t("paying.stop")}
                  question={t("paying.sureStop", { name: rider.alias })}
                  disabled={stop.isPending}
                  onSure={() => stop.mutate(rider.id)}
                />
              </p>
            )}
          </>
        )}
      />
      <form className="row" onSubmit={submit}>
        <label className="field">
          <span>{t("paying.untilWhen")}</span>
          <input name="until" type="date" required min={today} max={tenYearsAfter(today)} />
        </label>
        <button className="act" type="submit" disabled={offer.isPending}>
          {t("paying.offer")}
        </button>
      </form>
      <div role="status">
        {offer.data && (
          <p className="own-card">
            <span>{t("paying.code", { day: format.shortDay(offer.data.until) })}</span>
            <code className="pay-code">{offer.data.code}</code>
          </p>
        )}
      </div>
      <p className="help">{t("paying.forHelp")}</p>
      <Refusal error={offer.error ?? stop.error} />
    </div>
  );
}

function PaidBy() {
  const { t } = useTranslation();
  const format = useFormat();
  const heading = useId();
  const payer = useOwn("paid by", readPayer);
  const take = useOwnAct(takePayer);
  const end = useOwnAct(payMyself);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const code = String(new FormData(form).get("code")).trim();
    if (code) take.mutate(code, { onSuccess: () => form.reset() });
  };
  return (
    <section className="listed" aria-labelledby={heading}>
      <h3 id={heading}>{t("paying.by")}</h3>
      {payer.isPending && <p className="muted">{t("trips.loading")}</p>}
      {payer.isError && <Failure error={payer.error} onRetry={() => payer.refetch()} />}
      {payer.isSuccess && !payer.data && <p className="muted">{t("paying.byNobody")}</p>}
      {payer.data && (
        <div className="own-card">
          <p>
            <strong>{payer.data.alias}</strong>,{" "}
            {t("paying.until", { day: format.shortDay(payer.data.valid_to) })}
          </p>
          <p>
            <Sure
              label={t("paying.myself")}
              question={t("paying.sureMyself", { name: payer.data.alias })}
              disabled={end.isPending}
              onSure={() => end.mutate(undefined)}
            />
          </p>
        </div>
      )}
      <form className="row" onSubmit={submit}>
        <label className="field">
          <span>{t("paying.given")}</span>
          <input name="code" required maxLength={200} autoComplete="off" />
        </label>
        <button className="act" type="submit" disabled={take.isPending}>
          {t("paying.take")}
        </button>
      </form>
      <p className="help">{t("paying.byHelp")}</p>
      <Refusal error={take.error ?? end.error} />
    </section>
  );
}

/** The server allows a few days more. */
function tenYearsAfter(day: string) {
  return `${Number(day.slice(0, 4)) + 10}-${day.slice(5) === "02-29" ? "02-28" : day.slice(5)}`;
}
