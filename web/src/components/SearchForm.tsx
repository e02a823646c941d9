import { type FormEvent, useEffect, useState } from "react";
import { Switch } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { MAX_RIDERS, type PlaceRef, type Search, type TimeKind } from "../search";
import { useTimezone } from "../territory";
import { localMinute } from "../time";
import { CarpoolWishes } from "./CarpoolWishes";
import { Icon } from "./icons";
import { PlaceField, useLookup } from "./PlaceField";

type End = "from" | "to";
type Draft = Search & { text: Record<End, string> };

const toDraft = (search: Search): Draft => ({
  ...search,
  text: { from: search.from?.name ?? "", to: search.to?.name ?? "" },
});
const KINDS: TimeKind[] = ["now", "depart", "arrive"];
const NO_ERRORS: Record<End, string | null> = { from: null, to: null };

export function SearchForm({ search, onSubmit }: { search: Search; onSubmit: (search: Search) => void }) {
  const { t } = useTranslation();
  const timezone = useTimezone();
  const lookup = useLookup();
  const [draft, setDraft] = useState(() => toDraft(search));
  const [errors, setErrors] = useState(NO_ERRORS);
  const change = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));

  useEffect(() => {
    setDraft(toDraft(search));
    setErrors(NO_ERRORS);
  }, [search]);

  const setText = (end: End, text: string) => {
    setErrors((old) => ({ ...old, [end]: null }));
    setDraft((old) => ({ ...old, [end]: null, text: { ...old.text, [end]: text } }));
  };
  const setPlace = (end: End, place: PlaceRef) => {
    setErrors((old) => ({ ...old, [end]: null }));
    setDraft((old) => ({ ...old, [end]: place, text: { ...old.text, [end]: place.name } }));
  };

  const resolve = async (end: End) => draft[end] ?? (await lookup(draft.text[end]));

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const [from, to] = await Promise.all([resolve("from"), resolve("to")]);
    if (typeof from === "string" || typeof to === "string") {
      setErrors({ from: typeof from === "string" ? from : null, to: typeof to === "string" ? to : null });
      return;
    }
    const { text: _, ...rest } = draft;
    onSubmit({ ...rest, from, to, time: rest.kind === "now" ? "" : rest.time });
  };

  const setKind = (kind: TimeKind) => change({ kind, time: draft.time || localMinute(new Date(), timezone) });
  const [date = "", time = ""] = draft.time.split("T");

  return (
    // The search landmark; every field has its own label.
    <search aria-label={t("form.label")}>
      <form className="search-form" onSubmit={submit} noValidate>
        <div className="ends">
          <div className="ends-line" aria-hidden="true" />
          {(["from", "to"] as const).map((end) => (
            <PlaceField
              key={end}
              label={t(`form.${end}`)}
              text={draft.text[end]}
              error={errors[end]}
              onText={(text) => setText(end, text)}
              onPick={(place) => setPlace(end, place)}
            />
          ))}
          <button
            className="swap"
            type="button"
            aria-label={t("form.swap")}
            title={t("form.swap")}
            onClick={() =>
              change({ from: draft.to, to: draft.from, text: { from: draft.text.to, to: draft.text.from } })
            }
          >
            <Icon name="swap" />
          </button>
        </div>

        <div className="options">
          <fieldset className="segmented">
            <legend className="unseen">{t("form.when")}</legend>
            {KINDS.map((kind) => (
              <label key={kind}>
                <input
                  type="radio"
                  name="kind"
                  value={kind}
                  checked={draft.kind === kind}
                  onChange={() => setKind(kind)}
                />
                <span>{t(`form.${kind}`)}</span>
              </label>
            ))}
          </fieldset>
          {draft.kind !== "now" && (
            <div className="when-fields">
              <label>
                <span className="unseen">{t("form.date")}</span>
                <input
                  type="date"
                  required
                  value={date}
                  onChange={(e) => e.target.value && change({ time: `${e.target.value}T${time}` })}
                />
              </label>
              <label>
                <span className="unseen">{t("form.time")}</span>
                <input
                  type="time"
                  required
                  value={time}
                  onChange={(e) => e.target.value && change({ time: `${date}T${e.target.value}` })}
                />
              </label>
            </div>
          )}
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a row here */}
          <div className="riders" role="group" aria-label={t("form.riders")}>
            <button
              type="button"
              aria-label={t("form.fewer")}
              disabled={draft.riders <= 1}
              onClick={() => change({ riders: draft.riders - 1 })}
            >
              <Icon name="minus" size={16} />
            </button>
            <output aria-live="polite">
              <Icon name="people" size={18} /> {draft.riders}
              <span className="unseen"> {t("form.riders")}</span>
            </output>
            <button
              type="button"
              aria-label={t("form.more")}
              disabled={draft.riders >= MAX_RIDERS}
              onClick={() => change({ riders: draft.riders + 1 })}
            >
              <Icon name="plus" size={16} />
            </button>
          </div>
          <Switch className="switch" isSelected={draft.carpool} onChange={(carpool) => change({ carpool })}>
            <span className="switch-track" aria-hidden="true" />
            {t("form.carpool")}
          </Switch>
          <button className="submit" type="submit">
            <Icon name="search" /> {t("form.submit")}
          </button>
        </div>
        {draft.carpool && <CarpoolWishes draft={draft} change={change} />}
      </form>
    </search>
  );
}
