import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Plan, saveWish } from "../api/client";
import type { Search } from "../search";
import { useMe, useOwnAct } from "../session";
import { useTimezone } from "../territory";
import { addMinutes, localMinute } from "../time";
import { Icon } from "./icons";
import { Refusal } from "./Refusal";
import { SignIn } from "./SignIn";

const WINDOW_MIN = 120;

const toCircle = (among: string) =>
  among === "" || among === "women" || among === "verified"
    ? ({ audience: among || "everyone" } as const)
    : ({ audience: "community", community: among } as const);

/** Keep looking for a carpool like the one that was searched. */
export function SaveWish({ search, ends }: { search: Search; ends: Pick<Plan, "from" | "to"> }) {
  const { t } = useTranslation();
  const timezone = useTimezone();
  const me = useMe();
  const [asking, setAsking] = useState(false);
  const [shared, setShared] = useState(false);
  const help = useId();
  const save = useOwnAct(() => {
    const [date = "", time = ""] = (search.time || localMinute(new Date(), timezone)).split("T");
    const point = ({ lat, lon }: Plan["from"]) => ({ lat, lon });
    return saveWish({
      start: point(ends.from),
      end: point(ends.to),
      out:
        search.kind === "arrive"
          ? { leave_from: addMinutes(time, -WINDOW_MIN), arrive_by: time }
          : { leave_from: time, arrive_by: addMinutes(time, WINDOW_MIN) },
      valid_from: date,
      valid_to: date,
      seats: search.riders,
      shared,
      needs: search.needs,
      ...toCircle(search.among),
    });
  });
  return (
    <div className="save-wish">
      {!save.data && (
        <>
          <button
            className="page-button"
            type="button"
            disabled={save.isPending}
            onClick={() => (me ? save.mutate(undefined) : setAsking(true))}
          >
            <Icon name="carpool" /> {t("wish.save")}
          </button>
          <label className="share">
            <input
              type="checkbox"
              checked={shared}
              aria-describedby={help}
              onChange={(event) => setShared(event.currentTarget.checked)}
            />{" "}
            {t("wish.share")}
          </label>
          <p className="help" id={help}>
            {t("wish.shareHelp")}
          </p>
        </>
      )}
      <p role="status">{save.data && t("wish.saved")}</p>
      <Refusal error={save.error} />
      <SignIn isOpen={asking} onOpenChange={setAsking} />
    </div>
  );
}
