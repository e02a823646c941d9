import { useTranslation } from "react-i18next";
import { useActingWords } from "../acting";
import { endWish, listMatches, listWishes, type Wish } from "../api/client";
import { useFormat } from "../format";
import { useNearName } from "../nearName";
import { EMPTY_SEARCH, writeSearch } from "../search";
import { useOwn, useOwnAct } from "../session";
import { Listed } from "./Listed";
import { Refusal } from "./Refusal";

/** What one looks for, and the offers that would do. */
export function Wishes() {
  const { t } = useTranslation();
  const words = useActingWords();
  const query = useOwn("wishes", readWishes);
  return (
    <Listed
      title={t("trips.wishes", words)}
      query={query}
      none={t("trips.noWishes")}
      card={(wish) => <WishCard wish={wish} />}
    />
  );
}

const readWishes = async () => (await listWishes()).filter(({ open }) => open);

function WishCard({ wish }: { wish: Wish }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const from = useNearName(wish.start);
  const to = useNearName(wish.end);
  const matches = useOwn(`matches ${wish.id}`, () => listMatches(wish.id)).data;
  const end = useOwnAct(() => endWish(wish.id));
  const searchOf = (date: string) =>
    writeSearch(
      {
        ...EMPTY_SEARCH,
        from: { name: from, value: `${wish.start.lat},${wish.start.lon}` },
        to: { name: to, value: `${wish.end.lat},${wish.end.lon}` },
        kind: "depart",
        time: `${date}T${wish.out.leave_from.slice(0, 5)}`,
        riders: wish.seats,
      },
      i18n.language,
    );
  return (
    <>
      <p className="booking-day">
        {from} → {to}
      </p>
      <p>
        {format.fullDay(wish.valid_from)}
        {", "}
        {t("wish.times", { from: wish.out.leave_from.slice(0, 5), to: wish.out.arrive_by.slice(0, 5) })}
      </p>
      {wish.shared && <p className="muted">{t("wish.shared")}</p>}
      {matches?.length === 0 && <p className="muted">{t("wish.noMatch")}</p>}
      {matches && matches.length > 0 && (
        <ul className="matches">
          {matches.map((match) => (
            <li key={match.offer_id + match.direction}>
              <a href={searchOf(match.date)}>
                {t("wish.match", {
                  day: format.fullDay(match.date),
                  from: match.pickup_at.slice(0, 5),
                  to: match.dropoff_at.slice(0, 5),
                })}
              </a>
            </li>
          ))}
        </ul>
      )}
      <Refusal error={end.error} />
      <p className="acts">
        <button className="act" type="button" disabled={end.isPending} onClick={() => end.mutate(undefined)}>
          {t("wish.end")}
        </button>
      </p>
    </>
  );
}
