import { type FormEvent, useId } from "react";
import { useTranslation } from "react-i18next";
import {
  joinCommunity,
  leaveCommunity,
  listBlocks,
  sayWoman,
  stayApart,
  stayApartNoMore,
} from "../api/client";
import { useCircles } from "../circles";
import { useOwn, useOwnAct } from "../session";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

/** With whom one rides: what one says of oneself, communities, and whom one does not want to meet. */
export function Circles() {
  const { t } = useTranslation();
  const heading = useId();
  const circles = useCircles();
  const blocks = useOwn("blocks", listBlocks);
  const woman = useOwnAct(sayWoman);
  const act = useOwnAct((does: () => Promise<unknown>) => does());
  const given = (does: (text: string) => Promise<unknown>) => (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get("text")).trim();
    if (text) act.mutate(() => does(text), { onSuccess: () => form.reset() });
  };
  if (!circles) return null;
  return (
    <section className="listed circles" aria-labelledby={heading}>
      <h3 id={heading}>{t("circles.title")}</h3>
      <div className="checks">
        <label>
          <input
            type="checkbox"
            checked={woman.isPending ? woman.variables : circles.is_woman}
            onChange={({ target }) => woman.mutate(target.checked)}
          />{" "}
          {t("circles.woman")}
        </label>
      </div>
      <p className="help">{t("circles.womanHelp")}</p>
      <p>{t(circles.is_verified ? "circles.verified" : "circles.unverified")}</p>
      <ul>
        {circles.communities.map(({ id, name }) => (
          <li key={id} className="own-card">
            {name}{" "}
            <Sure
              label={t("circles.leave")}
              question={t("circles.sureLeave", { name })}
              disabled={act.isPending}
              onSure={() => act.mutate(() => leaveCommunity(id))}
            />
          </li>
        ))}
      </ul>
      <TextForm label={t("circles.code")} button={t("circles.join")} onSubmit={given(joinCommunity)} />
      {(blocks.data?.length ?? 0) > 0 && (
        <ul aria-label={t("circles.apart")}>
          {blocks.data?.map(({ person_id, alias }) => (
            <li key={person_id} className="own-card">
              {t("circles.notWith", { name: alias })}{" "}
              <button
                className="act"
                type="button"
                disabled={act.isPending}
                onClick={() => act.mutate(() => stayApartNoMore(person_id))}
              >
                {t("circles.undo")}
              </button>
            </li>
          ))}
        </ul>
      )}
      <TextForm label={t("circles.name")} button={t("circles.block")} onSubmit={given(stayApart)} />
      <p className="help">{t("circles.blockHelp")}</p>
      <Refusal error={woman.error ?? act.error} />
    </section>
  );
}

type FormProps = { label: string; button: string; onSubmit: (event: FormEvent<HTMLFormElement>) => void };

function TextForm({ label, button, onSubmit }: FormProps) {
  return (
    <form className="row" onSubmit={onSubmit}>
      <label className="field">
        <span>{label}</span>
        <input name="text" required maxLength={200} autoComplete="off" />
      </label>
      <button className="act" type="submit">
        {button}
      </button>
    </form>
  );
}
