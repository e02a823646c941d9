import { useId } from "react";
import { useTranslation } from "react-i18next";
import { listNotices, type Notice, readNotices } from "../api/client";
import { useFormat } from "../format";
import { useOwn, useOwnAct } from "../session";
import { Refusal } from "./Refusal";

const LISTED = 50;

/** The last ones that one was told, the newest first. */
export const useNotices = () => useOwn("notices", () => listNotices(LISTED));

export const unreadOf = (notices: Notice[] | undefined) => notices?.filter(({ read_at }) => !read_at) ?? [];

/** What one was told; what was read is folded away. */
export function Notices() {
  const { t } = useTranslation();
  const heading = useId();
  const { data } = useNotices();
  const read = useOwnAct(readNotices);
  if (!data || data.length === 0) return null;
  const unread = unreadOf(data);
  const old = data.filter(({ read_at }) => read_at);
  return (
    <section className="listed" aria-labelledby={heading}>
      <h3 id={heading}>{t("notice.title")}</h3>
      <p role="status" className={unread.length > 0 ? undefined : "muted"}>
        {t("notice.unread", { count: unread.length })}
      </p>
      {unread.length > 0 && (
        <>
          <NoticeList notices={unread} />
          <p className="acts">
            <button
              className="act"
              type="button"
              disabled={read.isPending}
              onClick={() => read.mutate(unread[0]!.id)}
            >
              {t("notice.markRead")}
            </button>
          </p>
        </>
      )}
      <Refusal error={read.error} />
      {old.length > 0 && (
        <details className="over">
          <summary>{t("notice.old", { count: old.length })}</summary>
          <NoticeList notices={old} />
        </details>
      )}
    </section>
  );
}

export function NoticeList({ notices }: { notices: Notice[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const aboutDay = ({ date }: Notice["content"]) => (typeof date === "string" ? format.fullDay(date) : null);
  return (
    <ul className="notices">
      {notices.map((notice) => (
        <li key={notice.id}>
          <time dateTime={notice.at}>
            {format.day(notice.at)}, {format.time(notice.at)}
          </time>
          <span>
            {t(`notice.kind.${notice.kind}`, { defaultValue: t("notice.other") })}
            {aboutDay(notice.content) && ` (${t("notice.ofDay", { day: aboutDay(notice.content) })})`}
            {typeof notice.content.text === "string" && <q>{notice.content.text}</q>}
          </span>
        </li>
      ))}
    </ul>
  );
}
