import type { TFunction } from "i18next";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Bill, listMonths, readBill } from "../api/client";
import { useFormat } from "../format";
import { byLanguage } from "../i18n";
import { useOwn } from "../session";
import { Cards } from "./Cards";
import { Failure } from "./Results";

/** What one owes for a month, line by line, and what it would have cost otherwise. */
export function MonthBill() {
  const { t } = useTranslation();
  const format = useFormat();
  const heading = useId();
  const months = useOwn("months", listMonths);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = months.data?.find(({ month }) => month === chosen) ?? months.data?.[0];
  return (
    <section className="listed month" aria-labelledby={heading}>
      <h3 id={heading}>{t("month.title")}</h3>
      {months.isPending && <p className="muted">{t("trips.loading")}</p>}
      {months.isError && <Failure error={months.error} onRetry={() => months.refetch()} />}
      {months.data?.length === 0 && <p className="muted">{t("month.none")}</p>}
      {months.data && months.data.length > 1 && (
        <label className="month-choice">
          {t("month.choose")}{" "}
          <select value={shown?.month} onChange={({ target }) => setChosen(target.value)}>
            {months.data.map(({ month }) => (
              <option key={month} value={month}>
                {format.month(month)}
              </option>
            ))}
          </select>
        </label>
      )}
      {/* What a month costs changes with its legs: its own key reads it anew. */}
      {shown && (
        <ShownBill key={`${shown.month} ${shown.amount_cents} ${shown.leg_count}`} of={shown.month} />
      )}
      <Cards />
    </section>
  );
}

function ShownBill({ of }: { of: string }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const query = useOwn(`bill ${of}`, () => readBill(of));
  const bill = query.data;
  if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  if (!bill) return <p className="muted">{t("trips.loading")}</p>;
  const money = (cents: number) => format.money(cents, bill.currency);
  const unpriced = bill.legs.filter((leg) => leg.unpriced !== null).length;
  return (
    <div className="own-card bill">
      <p className="bill-total">
        <span>{format.month(bill.month)}</span> <strong>{money(bill.amount_cents)}</strong>
      </p>
      {bill.state !== "open" && <p className={`state ${bill.state}`}>{t(`month.state.${bill.state}`)}</p>}
      {bill.paid_by.map((part) => (
        <p className="bill-part" key={`${part.payer} ${part.party}`}>
          <span>{t("month.others", { who: whoPays(part, t) })}</span> <span>{money(-part.amount_cents)}</span>
        </p>
      ))}
      {bill.paid_by.length > 0 && (
        <p className="bill-total">
          <span>{t("month.toPay")}</span> <strong>{money(bill.to_pay_cents)}</strong>
        </p>
      )}
      {bill.next_rides.length > 0 && <h4>{t("month.next")}</h4>}
      {bill.next_rides.length > 0 && (
        <ul className="next-rides" aria-label={t("month.next")}>
          {bill.next_rides.map(({ mode, amount_cents, why_fr, why_en }) => (
            <li key={mode}>
              {t("month.nextRide", {
                mode: t(`fareMode.${mode}`),
                amount: amount_cents === null ? "?" : money(amount_cents),
              })}{" "}
              {why_fr && why_en && (
                <span className="muted">{byLanguage(i18n.language, { fr: why_fr, en: why_en })}</span>
              )}
            </li>
          ))}
        </ul>
      )}
      <p>{t("month.guarantee")}</p>
      <ul className="bill-lines" aria-label={t("month.lines")}>
        {bill.lines.map((line) => (
          <Line key={`${line.rule} ${line.since} ${line.legs.join()}`} line={line} bill={bill} />
        ))}
      </ul>
      {unpriced > 0 && <p role="note">{t("month.unpriced", { count: unpriced })}</p>}
      {bill.statements.length > 0 && (
        <ul className="bill-statements" aria-label={t("month.statements")}>
          {bill.statements.map(({ number, kind, to_pay_cents }) => (
            <li key={number}>
              <a
                href={`/mobility/v1/statements/${number}?language=${i18n.language}`}
                target="_blank"
                rel="noreferrer"
              >
                {t(`month.${kind}`, { number })}
              </a>{" "}
              {money(to_pay_cents)}{" "}
              <a
                href={`/mobility/v1/statements/${number}.pdf?language=${i18n.language}`}
                target="_blank"
                rel="noreferrer"
                aria-label={t("month.pdf", { document: t(`month.${kind}`, { number }) })}
              >
                PDF
              </a>
            </li>
          ))}
        </ul>
      )}
      {bill.alternatives.length > 0 && (
        <details>
          <summary>{t("month.otherwise")}</summary>
          <ul>
            {bill.alternatives.map(({ product, is_bought, amount_cents }) => (
              <li key={product}>
                {t(is_bought ? "month.without" : "month.with", { product, amount: money(amount_cents) })}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Line({ line, bill }: { line: Bill["lines"][number]; bill: Bill }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  return (
    <li>
      <details>
        <summary>
          <span>
            {line.kind === "product"
              ? byLanguage(i18n.language, { fr: line.label_fr, en: line.label_en })
              : line.legs.map((row) => t(`fareMode.${bill.legs[row]!.mode}`)).join(" + ")}
            <small>
              {line.since ? t("month.since", { day: format.fullDay(line.since) }) : dayOf(bill, line, format)}
              {line.legs.length > 1 && ` · ${t("month.legs", { count: line.legs.length })}`}
            </small>
          </span>
          <strong>{format.money(line.amount_cents, bill.currency)}</strong>
        </summary>
        <p className="muted">{t("month.sum", { sum: line.arithmetic })}</p>
        {line.runner_up && (
          <p className="muted">
            {t(line.runner_up.products.length > 0 ? "month.runnerUpProducts" : "month.runnerUp", {
              products: line.runner_up.products.join(" + "),
              amount: format.money(line.runner_up.amount_cents, bill.currency),
            })}
          </p>
        )}
        {line.since && line.since < bill.month && <p>{t("month.begunBefore")}</p>}
        {line.paid_by.map((part) => (
          <p key={`${part.payer} ${part.party}`}>
            {t("month.partOf", {
              amount: format.money(part.amount_cents, bill.currency),
              who: whoPays(part, t),
            })}
          </p>
        ))}
        <ul>
          {line.legs.map((row) => {
            const leg = bill.legs[row]!;
            return (
              <li key={row}>
                {t(`fareMode.${leg.mode}`)}, {format.day(leg.board_at)} {format.time(leg.board_at)}
                {leg.metres > 0 && `, ${format.distance(leg.metres)}`}
                {leg.end_fr &&
                  leg.end_en &&
                  `, ${byLanguage(i18n.language, { fr: leg.end_fr, en: leg.end_en })}`}
                {leg.held_pass && `, ${t("month.held", { product: leg.held_pass })}`}
              </li>
            );
          })}
        </ul>
      </details>
    </li>
  );
}

/** Who pays a part: by its name, and as the tariff calls it. */
function whoPays({ payer, party }: Bill["paid_by"][number], t: TFunction) {
  if (payer === "rider") return t("month.another");
  return party ? `${party} (${payer})` : payer;
}

function dayOf(bill: Bill, line: Bill["lines"][number], format: ReturnType<typeof useFormat>) {
  const first = bill.legs[line.legs[0] ?? 0];
  return first ? format.day(first.board_at) : "";
}
