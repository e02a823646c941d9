import { type MouseEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "../session";
import { unreadOf, useNotices } from "./Notices";
import { SignIn } from "./SignIn";

type Props = { trips: boolean; href: string; onShow: () => void };

/** In the masthead: the way in, or the way to one's own trips. */
export function Account({ trips, href, onShow }: Props) {
  const { t } = useTranslation();
  const me = useMe();
  const [asking, setAsking] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const asked = useRef(false);
  // The button that opened the dialog is gone: the focus goes to what took its place.
  useEffect(() => {
    if (asked.current && !asking) link.current?.focus();
    asked.current = asking;
  }, [asking]);
  if (me === undefined) return null;
  return (
    <>
      {me ? (
        <a
          ref={link}
          className="account"
          href={href}
          aria-current={trips ? "page" : undefined}
          onClick={(event) => follow(event, onShow)}
        >
          {t("trips.title")}
          <Unread />
        </a>
      ) : (
        <button className="account" type="button" onClick={() => setAsking(true)}>
          {t("account.signIn")}
        </button>
      )}
      <SignIn isOpen={asking} onOpenChange={setAsking} />
    </>
  );
}

/** How much one has not read yet of what one was told. */
function Unread() {
  const { t } = useTranslation();
  const count = unreadOf(useNotices().data).length;
  if (count === 0) return null;
  return (
    <>
      {" "}
      <span className="unread" aria-hidden="true">
        {count}
      </span>
      <span className="unseen">{t("notice.unread", { count })}</span>
    </>
  );
}

/** Show another view without loading the page again; a new tab stays a new tab. */
export function follow(event: MouseEvent, show: () => void) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  show();
}
