import { useTranslation } from "react-i18next";
import { useActing } from "../acting";
import { useMe, useSignOut } from "../session";
import { follow } from "./Account";
import { Bookings } from "./Bookings";
import { Circles } from "./Circles";
import { HeldUsage } from "./HeldUsage";
import { Icon } from "./icons";
import { MonthBill } from "./MonthBill";
import { Notices } from "./Notices";
import { NewOffer } from "./OfferForm";
import { Offers } from "./Offers";
import { PassengerSeriesList } from "./PassengerSeriesList";
import { PayingRiders } from "./PayingRiders";
import { Proposals } from "./Proposals";
import { Refusal } from "./Refusal";
import { Rides } from "./Rides";
import { SeriesList } from "./SeriesList";
import { Wishes } from "./Wishes";

type Props = { back: string; onBack: () => void };

/** What is one's own: seats that one booked, rides that one drives, offers, wishes. */
export function Trips({ back, onBack }: Props) {
  const { t } = useTranslation();
  const me = useMe();
  const signOut = useSignOut();
  const acting = useActing();
  const rides = me?.scopes.includes("rider") && !acting;
  const drives = me?.scopes.includes("driver") && !acting;
  const decides = !acting && me?.scopes.some((scope) => scope === "operator" || scope === "authority");
  return (
    <section className="trips" aria-labelledby="trips-title">
      <a className="back" href={back} onClick={(event) => follow(event, onBack)}>
        <Icon name="search" size={16} /> {t("trips.back")}
      </a>
      <div className="trips-head">
        <h2 id="trips-title">{acting ? t("agent.tripsOf", { name: acting.alias }) : t("trips.title")}</h2>
        {me && (
          <p>
            {t("trips.who", { name: me.alias })}{" "}
            <button
              className="act"
              type="button"
              disabled={signOut.isPending}
              onClick={() => signOut.mutate()}
            >
              {t("account.signOut")}
            </button>
          </p>
        )}
      </div>
      <Refusal error={signOut.error} />
      {me === null && <p>{t("trips.signInFirst")}</p>}
      {me && !acting && <Notices />}
      {(rides || acting) && (
        <>
          <Bookings />
          <SeriesList />
        </>
      )}
      {rides && (
        <>
          <MonthBill />
          <PayingRiders />
        </>
      )}
      {(rides || drives) && <Proposals />}
      {drives && (
        <>
          <Rides />
          <PassengerSeriesList />
          <Offers />
          <NewOffer />
        </>
      )}
      {(rides || acting) && <Wishes />}
      {decides && <HeldUsage />}
      {me && !acting && <Circles />}
    </section>
  );
}
