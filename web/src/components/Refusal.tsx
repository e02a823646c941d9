import { useTranslation } from "react-i18next";
import { ApiError } from "../api/client";
import { Icon } from "./icons";

/** Why something was not done: in our words where we have some, else in the server's. */
export function Refusal({ error }: { error: Error | null }) {
  const { t } = useTranslation();
  if (!error) return null;
  return (
    <p className="message" role="alert">
      <Icon name="alert" />
      <span>
        {error instanceof ApiError
          ? t(`refusal.${error.code}`, { defaultValue: error.message || t("refusal.failed") })
          : t("results.offline")}
      </span>
    </p>
  );
}
