import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { reportPoint } from "../api/client";
import { useOwnAct } from "../session";
import { Refusal } from "./Refusal";

const REASONS = ["unsafe", "no_stopping", "not_there", "other"] as const;

/** Say that a meeting point is bad. */
export function ReportPoint({ points }: { points: { id: string; name: string }[] }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const report = useOwnAct(({ id, ...body }: { id: string } & Parameters<typeof reportPoint>[1]) =>
    reportPoint(id, body),
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const reason = REASONS.find((each) => each === given.get("reason")) ?? "other";
    report.mutate({ id: String(given.get("point")), reason, text: String(given.get("said")) });
  };
  if (report.data) return <p role="status">{t("report.thanks")}</p>;
  return (
    <details className="report" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{t("report.title")}</summary>
      {open && (
        <form className="form" onSubmit={submit}>
          <label className="field">
            <span>{t("report.point")}</span>
            <select name="point">
              {points.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            <span>{t("report.reason")}</span>
            <select name="reason">
              {REASONS.map((reason) => (
                <option key={reason} value={reason}>
                  {t(`report.${reason}`)}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            <span>{t("report.said")}</span>
            <input name="said" maxLength={500} />
          </label>
          <Refusal error={report.error} />
          <button className="act" type="submit" disabled={report.isPending}>
            {t("report.send")}
          </button>
        </form>
      )}
    </details>
  );
}
