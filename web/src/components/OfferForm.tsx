import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { type OfferContent, publishOffer } from "../api/client";
import { useFormat } from "../format";
import { useKeyedAct } from "../session";
import { useTimezone } from "../territory";
import { addDays, localDate } from "../time";
import { type Picked, PlaceField, useLookup } from "./PlaceField";
import { Refusal } from "./Refusal";

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const WORKDAYS: string[] = WEEKDAYS.slice(0, 5);
const ENDS = ["start", "end"] as const;
type End = (typeof ENDS)[number];
type Place = { text: string; picked: Picked | null; error: string | null };
const NO_PLACE: Place = { text: "", picked: null, error: null };
const SEATS = 8;
const DETOUR_MIN = 60;
/** A quarter of a year, unless the driver says otherwise. */
const USUAL_DAYS = 90;

/** A driver offers a drive that he makes anyway. */
export function OfferForm() {
  const { t } = useTranslation();
  const format = useFormat();
  const lookup = useLookup();
  const today = localDate(new Date(), useTimezone());
  const [places, setPlaces] = useState<Record<End, Place>>({ start: NO_PLACE, end: NO_PLACE });
  const publish = useKeyedAct(publishOffer);
  const setPlace = (end: End, place: Partial<Place>) =>
    setPlaces((old) => ({ ...old, [end]: { ...NO_PLACE, ...place } }));

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const find = async (end: End) => places[end].picked ?? (await lookup(places[end].text));
    const [start, end] = await Promise.all([find("start"), find("end")]);
    if (typeof start === "string") setPlace("start", { text: places.start.text, error: start });
    if (typeof end === "string") setPlace("end", { text: places.end.text, error: end });
    if (typeof start === "string" || typeof end === "string") return;
    publish.mutate(toContent(given, start, end), {
      onSuccess: () => setPlaces({ start: NO_PLACE, end: NO_PLACE }),
    });
  };
  const offer = publish.data;
  return (
    <details className="offer">
      <summary>{t("offer.new")}</summary>
      <form className="form" onSubmit={submit}>
        <div className="ends">
          <div className="ends-line" aria-hidden="true" />
          {ENDS.map((end) => (
            <PlaceField
              key={end}
              label={t(`offer.${end}Place`)}
              text={places[end].text}
              error={places[end].error}
              onText={(text) => setPlace(end, { text })}
              onPick={(picked) => setPlace(end, { text: picked.name, picked })}
            />
          ))}
        </div>
        <fieldset className="checks">
          <legend>{t("offer.public")}</legend>
          {ENDS.map((end) => (
            <Check key={end} name={`${end}-public`} label={t(`offer.${end}Public`)} />
          ))}
          <p className="help">{t("offer.publicHelp")}</p>
        </fieldset>
        <div className="row">
          <Given label={t("offer.departFrom")} name="depart_from" type="time" defaultValue="07:30" />
          <Given label={t("offer.departTo")} name="depart_to" type="time" defaultValue="07:45" />
        </div>
        <fieldset className="checks days">
          <legend>{t("offer.weekdays")}</legend>
          {WEEKDAYS.map((day) => (
            <Check
              key={day}
              name="weekday"
              value={day}
              label={t(`weekday.${day}`)}
              defaultChecked={WORKDAYS.includes(day)}
            />
          ))}
        </fieldset>
        <div className="row">
          <Given
            label={t("offer.validFrom")}
            name="valid_from"
            type="date"
            min={today}
            defaultValue={today}
          />
          <Given
            label={t("offer.validTo")}
            name="valid_to"
            type="date"
            min={today}
            defaultValue={addDays(today, USUAL_DAYS)}
          />
        </div>
        <div className="row">
          <Given label={t("offer.seats")} name="seats" type="number" min={1} max={SEATS} defaultValue={3} />
          <Given
            label={t("offer.detourMinutes")}
            name="detour"
            type="number"
            min={0}
            max={DETOUR_MIN}
            defaultValue={10}
          />
        </div>
        <fieldset className="checks">
          <legend>{t("offer.acceptance")}</legend>
          <Check
            type="radio"
            name="acceptance"
            value="automatic"
            label={t("offer.automatic")}
            defaultChecked
          />
          <Check type="radio" name="acceptance" value="ask" label={t("offer.ask")} />
        </fieldset>
        <Refusal error={publish.error} />
        <button className="primary" type="submit" disabled={publish.isPending}>
          {t("offer.publish")}
        </button>
      </form>
      <p role="status">
        {offer && (
          <>
            {t("offer.published")}{" "}
            {offer.drive_s != null && t("offer.drive", { value: format.duration(offer.drive_s) })}{" "}
            {offer.point_count != null && t("offer.points", { count: offer.point_count })}
          </>
        )}
      </p>
    </details>
  );
}

function toContent(given: FormData, start: Picked, end: Picked): OfferContent {
  const text = (name: string) => String(given.get(name));
  const place = ({ lat, lon }: Picked, name: End) => ({ lat, lon, public: given.has(`${name}-public`) });
  return {
    start: place(start, "start"),
    end: place(end, "end"),
    depart_from: text("depart_from"),
    depart_to: text("depart_to"),
    weekdays: WEEKDAYS.filter((day) => given.getAll("weekday").includes(day)),
    valid_from: text("valid_from"),
    valid_to: text("valid_to"),
    seats: Number(text("seats")),
    detour_budget_s: Number(text("detour")) * 60,
    acceptance: text("acceptance") === "ask" ? "ask" : "automatic",
  };
}

type InputProps = React.ComponentProps<"input"> & { label: string };

function Given({ label, ...props }: InputProps) {
  return (
    <label className="field">
      <span>{label}</span>
      <input required {...props} />
    </label>
  );
}

function Check({ label, ...props }: InputProps) {
  return (
    <label>
      <input type="checkbox" {...props} /> {label}
    </label>
  );
}
