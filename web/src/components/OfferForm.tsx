import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type Offer,
  type OfferContent,
  publishOffer,
  replaceOffer,
  type Schemas,
  sayWoman,
} from "../api/client";
import { useCircles } from "../circles";
import type { Point } from "../drawing";
import { useFormat } from "../format";
import { NEEDS } from "../search";
import { useKeyedAct } from "../session";
import { useTimezone } from "../territory";
import { addDays, localDate } from "../time";
import { DrawLine } from "./DrawLine";
import { DriveCost } from "./DriveCost";
import { type Picked, PlaceField, useLookup } from "./PlaceField";
import { Refusal } from "./Refusal";

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const WORKDAYS: string[] = WEEKDAYS.slice(0, 5);
const ENDS = ["start", "end"] as const;
type End = (typeof ENDS)[number];
type Place = { text: string; picked: Picked | null; error: string | null };
const NO_PLACE: Place = { text: "", picked: null, error: null };
const SEATS = 8;
const VIAS = 5;
const DETOUR_MIN = 60;
const AUDIENCES = ["everyone", "women", "verified"] as const;
/** A quarter of a year, unless the driver says otherwise. */
const USUAL_DAYS = 90;

const EXTRAS = ["bike", "child_seat", "wheelchair"] as const;
const ENERGIES = ["petrol", "diesel", "gas", "hybrid", "electric"] as const;

type Props = {
  /** One that is there already, to change it, and what its ends are called. */
  offer?: Offer;
  names?: Record<End, string>;
  onDone?: () => void;
};

const placeAt = ({ lat, lon }: Schemas["Point"], name?: string): Place => {
  const value = `${lat},${lon}`;
  const text = name ?? value;
  return { text, picked: { name: text, value, lat, lon }, error: null };
};

/** A driver offers a drive that he makes anyway. */
export function NewOffer() {
  const { t } = useTranslation();
  return (
    <details className="offer">
      <summary>{t("offer.new")}</summary>
      <OfferForm />
    </details>
  );
}

/** Whatever a driver says of a drive: a new one, or another version of one that is there. */
export function OfferForm({ offer: before, names, onDone }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const lookup = useLookup();
  const circles = useCircles();
  const today = localDate(new Date(), useTimezone());
  const [places, setPlaces] = useState<Record<End, Place>>({
    start: before ? placeAt(before.start, names?.start) : NO_PLACE,
    end: before ? placeAt(before.end, names?.end) : NO_PLACE,
  });
  const [vias, setVias] = useState(() => (before?.vias ?? []).map((via) => placeAt(via)));
  const [line, setLine] = useState<Point[]>([]);
  const [car, setCar] = useState<Car>({
    seats: before?.seats ?? 3,
    energy: before?.vehicle?.energy,
    fiscal_power: before?.vehicle?.fiscal_power,
  });
  const [arrives, setArrives] = useState(before?.arrive_to != null);
  const [circle, setCircle] = useState(before?.community ?? before?.audience ?? "everyone");
  const publish = useKeyedAct(async (content: OfferContent, key: string) => {
    // Asked only when it is used: choosing these says so.
    if (content.audience === "women" && !circles?.is_woman) await sayWoman(true);
    return before
      ? replaceOffer(before.id, { ...content, version: before.version })
      : publishOffer(content, key);
  });
  const setPlace = (end: End, place: Partial<Place>) =>
    setPlaces((old) => ({ ...old, [end]: { ...NO_PLACE, ...place } }));
  const setVia = (at: number, place: Partial<Place>) =>
    setVias((old) => old.map((via, nth) => (nth === at ? { ...NO_PLACE, ...place } : via)));

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const find = async (place: Place) => place.picked ?? (await lookup(place.text));
    // What is drawn stands for the stops.
    const wanted = line.length > 0 ? [] : vias.filter(({ text }) => text.trim());
    const [start, end, ...between] = await Promise.all([
      find(places.start),
      find(places.end),
      ...wanted.map(find),
    ]);
    if (typeof start === "string") setPlace("start", { text: places.start.text, error: start });
    if (typeof end === "string") setPlace("end", { text: places.end.text, error: end });
    if (line.length === 0)
      setVias(
        wanted.map((via, at) => {
          const found = between[at]!;
          return typeof found === "string" ? { ...via, error: found } : { ...via, picked: found };
        }),
      );
    const stops = between.filter((found) => typeof found !== "string");
    if (typeof start === "string" || typeof end === "string" || stops.length < between.length) return;
    publish.mutate(
      { ...toContent(given, start, end, stops, before), line },
      {
        onSuccess: () => {
          if (!before) {
            setPlaces({ start: NO_PLACE, end: NO_PLACE });
            setVias([]);
            setLine([]);
          }
          onDone?.();
        },
      },
    );
  };
  const offer = publish.data;
  const [from, to] = arrives
    ? (["arrive_from", "arrive_to"] as const)
    : (["depart_from", "depart_to"] as const);
  const takes = before?.takes ?? [];
  const luggage = takes.includes("large_luggage")
    ? "large_luggage"
    : takes.includes("small_luggage")
      ? "small_luggage"
      : "";
  const vehicle = before?.vehicle;
  const stops = vias.filter(({ text }) => text).map(({ picked }) => picked);
  return (
    <>
      <form
        className="form"
        onSubmit={submit}
        onChange={({ currentTarget }) => setCar(carOf(new FormData(currentTarget)))}
      >
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
        {line.length === 0 &&
          vias.map((via, at) => (
            <PlaceField
              key={at}
              label={t("offer.via", { nth: at + 1 })}
              text={via.text}
              error={via.error}
              onText={(text) => (text ? setVia(at, { text }) : setVias((old) => old.toSpliced(at, 1)))}
              onPick={(picked) => setVia(at, { text: picked.name, picked })}
            />
          ))}
        {line.length === 0 && vias.length > 0 && <p className="help">{t("offer.viaHelp")}</p>}
        {line.length === 0 && vias.length < VIAS && (
          <p className="acts">
            <button className="act" type="button" onClick={() => setVias((old) => [...old, NO_PLACE])}>
              {t("offer.addVia")}
            </button>
          </p>
        )}
        <DrawLine
          line={line}
          start={places.start.picked}
          end={places.end.picked}
          stops={stops.filter((stop) => stop !== null)}
          onLine={setLine}
        />
        <fieldset className="checks">
          <legend>{t("offer.public")}</legend>
          {ENDS.map((end) => (
            <Check
              key={end}
              name={`${end}-public`}
              label={t(`offer.${end}Public`)}
              defaultChecked={before?.[end].public}
            />
          ))}
          <p className="help">{t("offer.publicHelp")}</p>
        </fieldset>
        <fieldset className="checks">
          <legend>{t("offer.when")}</legend>
          {[false, true].map((by) => (
            <Check
              key={String(by)}
              type="radio"
              name="window"
              label={t(by ? "offer.byArrival" : "offer.byDeparture")}
              checked={arrives === by}
              onChange={() => setArrives(by)}
            />
          ))}
          {arrives && <p className="help">{t("offer.arriveHelp")}</p>}
        </fieldset>
        <div className="row" key={from}>
          <Given
            label={t(arrives ? "offer.arriveFrom" : "offer.departFrom")}
            name={from}
            type="time"
            defaultValue={before?.[from]?.slice(0, 5) ?? (arrives ? "08:15" : "07:30")}
          />
          <Given
            label={t("offer.departTo")}
            name={to}
            type="time"
            defaultValue={before?.[to]?.slice(0, 5) ?? (arrives ? "08:30" : "07:45")}
          />
        </div>
        <fieldset className="checks days">
          <legend>{t("offer.weekdays")}</legend>
          {WEEKDAYS.map((day) => (
            <Check
              key={day}
              name="weekday"
              value={day}
              label={t(`weekday.${day}`)}
              defaultChecked={(before?.weekdays ?? WORKDAYS).includes(day)}
            />
          ))}
        </fieldset>
        <div className="row">
          <Given
            label={t("offer.validFrom")}
            name="valid_from"
            type="date"
            min={before ? undefined : today}
            defaultValue={before?.valid_from ?? today}
          />
          <Given
            label={t("offer.validTo")}
            name="valid_to"
            type="date"
            min={today}
            defaultValue={before?.valid_to ?? addDays(today, USUAL_DAYS)}
          />
        </div>
        <div className="row">
          <Given
            label={t("offer.seats")}
            name="seats"
            type="number"
            min={1}
            max={SEATS}
            defaultValue={before?.seats ?? 3}
          />
          <Given
            label={t("offer.detourMinutes")}
            name="detour"
            type="number"
            min={0}
            max={DETOUR_MIN}
            defaultValue={before ? Math.round(before.detour_budget_s / 60) : 10}
          />
        </div>
        <fieldset className="checks">
          <legend>{t("offer.acceptance")}</legend>
          <Check
            type="radio"
            name="acceptance"
            value="automatic"
            label={t("offer.automatic")}
            defaultChecked={before?.acceptance !== "ask"}
          />
          <Check
            type="radio"
            name="acceptance"
            value="ask"
            label={t("offer.ask")}
            defaultChecked={before?.acceptance === "ask"}
          />
        </fieldset>
        <fieldset className="checks">
          <legend>{t("offer.meeting")}</legend>
          <Check type="checkbox" name="door" label={t("offer.door")} defaultChecked={before?.door} />
        </fieldset>
        <label className="field">
          <span>{t("audience.for")}</span>
          <select name="circle" value={circle} onChange={({ target }) => setCircle(target.value)}>
            <option value="everyone">{t("audience.everyone")}</option>
            <option value="women">{t("audience.women")}</option>
            <option value="verified" disabled={!circles?.is_verified}>
              {t("audience.verified")}
            </option>
            {circles?.communities.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {circle === "women" && !circles?.is_woman && <p className="help">{t("audience.womenHelp")}</p>}
        <label className="field">
          <span>{t("need.luggage")}</span>
          <select name="luggage" defaultValue={luggage}>
            <option value="">{t("need.none")}</option>
            <option value="small_luggage">{t("need.small_luggage")}</option>
            <option value="large_luggage">{t("need.large_luggage")}</option>
          </select>
        </label>
        <fieldset className="checks">
          <legend>{t("need.takes")}</legend>
          {EXTRAS.map((need) => (
            <Check
              key={need}
              name="takes"
              value={need}
              label={t(`need.${need}`)}
              defaultChecked={takes.includes(need)}
            />
          ))}
        </fieldset>
        <details>
          <summary>{t("vehicle.title")}</summary>
          <p className="help">{t("vehicle.help")}</p>
          <div className="row">
            <Given
              label={t("vehicle.make")}
              name="make"
              maxLength={60}
              required={false}
              defaultValue={vehicle?.make}
            />
            <Given
              label={t("vehicle.colour")}
              name="colour"
              maxLength={30}
              required={false}
              defaultValue={vehicle?.colour}
            />
            <Given
              label={t("vehicle.plate")}
              name="plate"
              maxLength={15}
              required={false}
              defaultValue={vehicle?.plate}
            />
          </div>
          <div className="row">
            <label className="field">
              <span>{t("vehicle.energy")}</span>
              <select name="energy" defaultValue={vehicle?.energy ?? ""}>
                <option value="">{t("vehicle.unsaid")}</option>
                {ENERGIES.map((energy) => (
                  <option key={energy} value={energy}>
                    {t(`vehicle.${energy}`)}
                  </option>
                ))}
              </select>
            </label>
            <Given
              label={t("vehicle.power")}
              name="fiscal_power"
              type="number"
              min={1}
              max={99}
              required={false}
              defaultValue={vehicle?.fiscal_power ?? undefined}
            />
          </div>
        </details>
        <DriveCost
          places={[places.start.picked, ...(line.length > 0 ? [] : stops), places.end.picked]}
          line={line}
          car={car}
        />
        <Refusal error={publish.error} />
        <button className="primary" type="submit" disabled={publish.isPending}>
          {t(before ? "offer.change" : "offer.publish")}
        </button>
      </form>
      <p role="status">
        {offer && (
          <>
            {t(before ? "offer.changed" : "offer.published")}{" "}
            {offer.drive_s != null && t("offer.drive", { value: format.duration(offer.drive_s) })}{" "}
            {offer.point_count != null && t("offer.points", { count: offer.point_count })}
          </>
        )}
      </p>
    </>
  );
}

/** What of a car its costs depend on. */
export type Car = Pick<Schemas["Drive"], "seats" | "energy" | "fiscal_power">;

const carOf = (given: FormData): Car => ({
  seats: Number(given.get("seats")),
  energy: ENERGIES.find((energy) => energy === given.get("energy")) ?? null,
  fiscal_power: Number(given.get("fiscal_power")) || null,
});

/** What the form does not show stays as it was. */
function toContent(
  given: FormData,
  start: Picked,
  end: Picked,
  vias: Picked[],
  before?: Offer,
): OfferContent {
  const text = (name: string) => String(given.get(name) ?? "");
  const time = (name: string) => text(name) || null;
  const place = ({ lat, lon }: Picked, name: End) => ({ lat, lon, public: given.has(`${name}-public`) });
  const circle = text("circle");
  const audience = AUDIENCES.find((name) => name === circle) ?? "community";
  const { seats, energy, fiscal_power } = carOf(given);
  const bulk = NEEDS.filter((need) => need === text("luggage"));
  return {
    vias: vias.map(({ lat, lon }) => ({ lat, lon })),
    except_dates: before?.except_dates ?? [],
    struck_points: before?.struck_points ?? [],
    start: place(start, "start"),
    end: place(end, "end"),
    depart_from: time("depart_from"),
    depart_to: time("depart_to"),
    arrive_from: time("arrive_from"),
    arrive_to: time("arrive_to"),
    audience,
    community: audience === "community" ? circle : null,
    takes: [...bulk, ...EXTRAS.filter((need) => given.getAll("takes").includes(need))],
    vehicle: text("make").trim()
      ? {
          make: text("make").trim(),
          colour: text("colour").trim(),
          plate: text("plate").trim(),
          energy,
          fiscal_power,
        }
      : null,
    weekdays: WEEKDAYS.filter((day) => given.getAll("weekday").includes(day)),
    valid_from: text("valid_from"),
    valid_to: text("valid_to"),
    seats,
    detour_budget_s: Number(text("detour")) * 60,
    acceptance: text("acceptance") === "ask" ? "ask" : "automatic",
    door: given.has("door"),
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
