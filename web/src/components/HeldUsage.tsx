import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { dropHeld, type HeldBatch, listHeld, takeHeld } from "../api/client";
import { useFormat } from "../format";
import { useOwn, useOwnAct } from "../session";
import { useTimezone } from "../territory";
import { localDate } from "../time";
import { Listed } from "./Listed";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

type Taken = { id: string; ahead_s: number };

/** What readers with wrong clocks have told: somebody says when it was, or that it does not count. */
export function HeldUsage() {
  const { t } = useTranslation();
  const held = useOwn("held", listHeld);
  const take = useOwnAct(({ id, ahead_s }: Taken) => takeHeld(id, ahead_s));
  const drop = useOwnAct(dropHeld);
  const taken = take.data;
  return (
    <div className="paying">
      <Listed
        title={t("held.title")}
        query={held}
        none={t("held.none")}
        card={(batch) => (
          <Batch
            batch={batch}
            disabled={take.isPending || drop.isPending}
            onTake={(ahead_s) => take.mutate({ id: batch.id, ahead_s }, { onSuccess: drop.reset })}
            onDrop={() => drop.mutate(batch.id, { onSuccess: take.reset })}
          />
        )}
      />
      <div role="status">
        {taken && (
          <p>
            {t("held.taken", { count: taken.new + taken.known })}
            {taken.refused.length > 0 &&
              ` ${t("held.refused", { count: taken.refused.length, why: taken.refused[0]!.message })}`}
          </p>
        )}
        {drop.isSuccess && <p>{t("held.dropped")}</p>}
      </div>
      <p className="help">{t("held.help")}</p>
      <Refusal error={take.error ?? drop.error} />
    </div>
  );
}

type BatchProps = {
  batch: HeldBatch;
  disabled: boolean;
  onTake: (ahead_s: number) => void;
  onDrop: () => void;
};

function Batch({ batch, disabled, onTake, onDrop }: BatchProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const ahead_s = batch.clock_ahead_s;
  const timeZone = useTimezone();
  const at = (iso: string) => `${format.shortDay(localDate(new Date(iso), timeZone))} ${format.time(iso)}`;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onTake(Number(new FormData(event.currentTarget).get("ahead_s")));
  };
  return (
    <>
      <p>
        <strong className="source">{batch.source}</strong>
      </p>
      <p>{t(ahead_s > 0 ? "held.ahead" : "held.behind", { time: format.duration(Math.abs(ahead_s)) })}</p>
      <p>{t("held.events", { count: batch.events, first: at(batch.first_at), last: at(batch.last_at) })}</p>
      <p className="muted">{t("held.received", { at: at(batch.received_at) })}</p>
      <form className="row" onSubmit={submit}>
        <label className="field">
          <span>{t("held.by")}</span>
          <input name="ahead_s" type="number" required step={1} defaultValue={ahead_s} />
        </label>
        <button className="act" type="submit" disabled={disabled}>
          {t("held.take")}
        </button>
      </form>
      <p>
        <Sure
          label={t("held.drop")}
          question={t("held.sureDrop", { count: batch.events })}
          disabled={disabled}
          onSure={onDrop}
        />
      </p>
    </>
  );
}
