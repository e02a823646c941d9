import { useTranslation } from "react-i18next";
import { useActing } from "../acting";
import { chooseItinerary, dropItinerary, type Itinerary, listChosen, type Schemas } from "../api/client";
import { isStreet, kindOf } from "../modes";
import { useMe, useOwn, useOwnAct } from "../session";
import { Refusal } from "./Refusal";

type ChosenLeg = Schemas["Choice"]["legs"][number];

/** What of an itinerary can be chosen, and the choice that was made of it, also before the page was loaded. */
export function useChosen(itinerary: Itinerary) {
  const me = useMe();
  const acting = useActing();
  const legs = transitLegs(itinerary);
  const isOffered = !acting && (me?.scopes.includes("rider") ?? false) && legs.length > 0;
  const own = useOwn("chosen", listChosen, isOffered);
  const chosen = own.data?.find(
    (choice) =>
      choice.legs.length === legs.length && choice.legs.every((leg, row) => isSame(leg, legs[row]!)),
  );
  return { legs, isOffered, chosen: isOffered ? chosen : undefined };
}

/** Say that one takes an itinerary: where one forgets to tap out, its leg ends as chosen. */
export function ChooseItinerary({ itinerary }: { itinerary: Itinerary }) {
  const { t } = useTranslation();
  const choice = useOwnAct(chooseItinerary);
  const undoing = useOwnAct(dropItinerary);
  const { legs, isOffered, chosen } = useChosen(itinerary);
  if (!isOffered) return null;
  const isPending = choice.isPending || undoing.isPending;
  return (
    <div className="book">
      {!chosen && (
        <button
          className="page-button"
          type="button"
          disabled={isPending}
          onClick={() => choice.mutate(legs, { onSuccess: undoing.reset })}
        >
          {t("choose.do")}
        </button>
      )}
      <p role="status">{chosen && t("choose.done")}</p>
      {chosen && (
        <button
          className="page-button"
          type="button"
          disabled={isPending}
          onClick={() => undoing.mutate(chosen.id, { onSuccess: choice.reset })}
        >
          {t("choose.undo")}
        </button>
      )}
      <Refusal error={choice.error ?? undoing.error} />
    </div>
  );
}

/** By its trip: a vehicle that is late leaves at another time. */
function isSame(a: ChosenLeg, b: ChosenLeg) {
  const isThere = a.board_stop === b.board_stop && a.alight_stop === b.alight_stop && a.route === b.route;
  const isThen = a.trip && b.trip ? a.trip === b.trip : Date.parse(a.board_at) === Date.parse(b.board_at);
  return isThere && isThen;
}

/** Legs by public transport, as they are chosen. */
function transitLegs({ legs }: Itinerary): ChosenLeg[] {
  return legs.flatMap((leg) =>
    !isStreet(leg) && kindOf(leg) !== "carpool" && leg.routeId && leg.from.stopId && leg.to.stopId
      ? [
          {
            board_stop: leg.from.stopId,
            alight_stop: leg.to.stopId,
            route: leg.routeId,
            board_at: leg.startTime,
            trip: leg.tripId ?? "",
          },
        ]
      : [],
  );
}
