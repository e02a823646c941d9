import { useTranslation } from "react-i18next";
import type { Acting } from "../acting";
import { useActFor } from "../session";

/** On every view, as long as an agent acts for somebody. */
export function ActingFor({ acting, onEnd }: { acting: Acting; onEnd: () => void }) {
  const { t } = useTranslation();
  const actFor = useActFor();
  return (
    <p className="acting">
      <strong role="status">{t("agent.acting", { name: acting.alias })}</strong>{" "}
      <button className="act" type="button" onClick={() => actFor(null).then(onEnd)}>
        {t("agent.end")}
      </button>
    </p>
  );
}
