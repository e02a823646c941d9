import { useTranslation } from "react-i18next";
import { chooseItinerary, dropItinerary, type Itinerary } from "../api/client";
import { isStreet, kindOf } from "../modes";
import { useMe, useOwnAct } from "../session";
import { Refusal } from "./Refusal";

/** Say that one takes an itinerary: where one forgets to tap out, its leg ends as chosen. */
export function ChooseItinerary({ itinerary }: { itinerary: Itinerary }) {
  const { t } = useTranslation();
  const me = useMe();
  const choice = useOwnAct(chooseItinerary);
  const undoing = useOwnAct(dropItinerary);
  const legs = transitLegs(itinerary);
  if (!me?.scopes.includes("rider") || legs.length === 0) return null;
  const chosen = choice.data;
  return (
    <div className="book">
      {!chosen && (
        <button
          className="page-button"
          type="button"
          disabled={choice.isPending}
          onClick={() => choice.mutate(legs)}
        >
          {t("choose.do")}
        </button>
      )}
      <p role="status">{chosen && t("choose.done")}</p>
      {chosen && (
        <button
          className="page-button"
          type="button"
          disabled={undoing.isPending}
          onClick={() => undoing.mutate(chosen.id, { onSuccess: choice.reset })}
        >
          {t("choose.undo")}
        </button>
      )}
      <Refusal error={choice.error ?? undoing.error} />
    </div>
  );
}

/** Legs by public transport, as they are chosen. */
function transitLegs({ legs }: Itinerary) {
  return legs.flatMap((leg) =>
    !isStreet(leg) && kindOf(leg) !== "carpool" && leg.routeId && leg.from.stopId && leg.to.stopId
      ? [
          {
            board_stop: leg.from.stopId,
            alight_stop: leg.to.stopId,
            route: leg.routeId,
            board_at: leg.startTime,
          },
        ]
      : [],
  );
}
