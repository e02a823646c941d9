import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { linkCard, listCards, unlinkCard } from "../api/client";
import { useFormat } from "../format";
import { useOwn, useOwnAct } from "../session";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

/** Cards by which readers know whose account a ride is for. */
export function Cards() {
  const { t } = useTranslation();
  const format = useFormat();
  const cards = useOwn("cards", listCards);
  const link = useOwnAct(linkCard);
  const unlink = useOwnAct(unlinkCard);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const [number, label] = ["number", "label"].map((name) => String(given.get(name)).trim());
    if (number) link.mutate({ number, label: label ?? "" }, { onSuccess: () => form.reset() });
  };
  return (
    <details className="cards">
      <summary>{t("cards.title", { count: cards.data?.length ?? 0 })}</summary>
      <ul>
        {cards.data?.map(({ id, label, linked_at }) => (
          <li key={id} className="own-card">
            {label || t("cards.unnamed")} <small>{t("cards.linked", { day: format.day(linked_at) })}</small>{" "}
            <Sure
              label={t("cards.unlink")}
              question={t("cards.sureUnlink")}
              disabled={unlink.isPending}
              onSure={() => unlink.mutate(id)}
            />
          </li>
        ))}
      </ul>
      <form className="row" onSubmit={submit}>
        <label className="field">
          <span>{t("cards.number")}</span>
          <input name="number" required minLength={4} maxLength={200} autoComplete="off" />
        </label>
        <label className="field">
          <span>{t("cards.label")}</span>
          <input name="label" maxLength={60} autoComplete="off" />
        </label>
        <button className="act" type="submit" disabled={link.isPending}>
          {t("cards.link")}
        </button>
      </form>
      <p className="help">{t("cards.help")}</p>
      <Refusal error={link.error ?? unlink.error} />
    </details>
  );
}
