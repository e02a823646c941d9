import { useTranslation } from "react-i18next";
import { useCircles } from "../circles";
import { NEEDS, type Search } from "../search";

type Props = { draft: Search; change: (part: Partial<Search>) => void };

/** What a driver's car has to take, and among whom one wants to travel. */
export function CarpoolWishes({ draft, change }: Props) {
  const { t } = useTranslation();
  const circles = useCircles();
  const among = [
    ...(circles?.is_woman ? [{ id: "women", name: t("audience.women") }] : []),
    ...(circles?.is_verified ? [{ id: "verified", name: t("audience.verified") }] : []),
    ...(circles?.communities ?? []),
  ];
  const asked = draft.needs.length > 0 || draft.among !== "";
  return (
    <details className="carpool-wishes" open={asked || undefined}>
      <summary>{t("need.title")}</summary>
      <fieldset className="checks">
        <legend>{t("need.brings")}</legend>
        {NEEDS.map((need) => (
          <label key={need}>
            <input
              type="checkbox"
              checked={draft.needs.includes(need)}
              onChange={({ target }) =>
                change({
                  needs: NEEDS.filter((each) =>
                    each === need ? target.checked : draft.needs.includes(each),
                  ),
                })
              }
            />{" "}
            {t(`need.${need}`)}
          </label>
        ))}
      </fieldset>
      {(among.length > 0 || draft.among) && (
        <label className="field">
          <span>{t("audience.among")}</span>
          <select value={draft.among} onChange={({ target }) => change({ among: target.value })}>
            <option value="">{t("audience.everyone")}</option>
            {among.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
            {draft.among && !among.some(({ id }) => id === draft.among) && (
              <option value={draft.among}>{t("audience.other")}</option>
            )}
          </select>
        </label>
      )}
    </details>
  );
}
