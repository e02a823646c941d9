import { type MouseEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useActing } from "../acting";
import type { View } from "../search";
import { useMe } from "../session";
import { unreadOf, useNotices } from "./Notices";
import { SignIn } from "./SignIn";

type Props = { view: View; hrefOf: (view: View) => string; onShow: (view: View) => void };

/** In the masthead: the way in, or the way to one's own trips. */
export function Account({ view, hrefOf, onShow }: Props) {
  const { t } = useTranslation();
  const me = useMe();
  const acting = useActing();
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
        <>
          {me.scopes.includes("operator") && (
            <a
              className="account"
              href={hrefOf("agent")}
              aria-current={view === "agent" ? "page" : undefined}
              onClick={(event) => follow(event, () => onShow("agent"))}
            >
              {t("agent.link")}
            </a>
          )}
          <a
            ref={link}
            className="account"
            href={hrefOf("trips")}
            aria-current={view === "trips" ? "page" : undefined}
            onClick={(event) => follow(event, () => onShow("trips"))}
          >
            {acting ? t("agent.tripsOf", { name: acting.alias }) : t("trips.title")}
            {!acting && <Unread />}
          </a>
        </>
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
