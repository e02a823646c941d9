import { useTranslation } from "react-i18next";
import { beInterested, declineProposal, listProposals, type Proposal, type Schemas } from "../api/client";
import { useOwn, useOwnAct } from "../session";
import { Listed } from "./Listed";
import { WEEKDAYS } from "./OfferForm";
import { Refusal } from "./Refusal";

/** Somebody with whom one could travel week after week, as the nightly matching found. */
export function Proposals() {
  const { t } = useTranslation();
  const query = useOwn("proposals", listProposals);
  if (query.data?.length === 0) return null;
  return (
    <Listed
      title={t("proposal.title")}
      query={query}
      none={t("proposal.none")}
      card={(proposal) => <ProposalCard proposal={proposal} />}
    />
  );
}

function ProposalCard({ proposal }: { proposal: Proposal }) {
  const { t } = useTranslation();
  const interested = useOwnAct(() => beInterested(proposal.id));
  const decline = useOwnAct(() => declineProposal(proposal.id));
  const { role, state, out, back } = proposal;
  const busy = interested.isPending || decline.isPending;
  return (
    <>
      <p className={`state ${state}`}>{t(`proposal.${role}.${state}`, { defaultValue: state })}</p>
      <Way label={t("series.out")} way={out} />
      {back && <Way label={t("series.back")} way={back} />}
      <p>
        {WEEKDAYS.filter((day) => proposal.weekdays.includes(day))
          .map((day) => t(`weekday.${day}`))
          .join(", ")}
      </p>
      <Refusal error={interested.error ?? decline.error} />
      <p className="acts">
        {role === "rider" && state === "open" && (
          <button
            className="act strong"
            type="button"
            disabled={busy}
            onClick={() => interested.mutate(undefined)}
          >
            {t("proposal.interested")}
          </button>
        )}
        <button className="act" type="button" disabled={busy} onClick={() => decline.mutate(undefined)}>
          {t("proposal.decline")}
        </button>
      </p>
    </>
  );
}

function Way({ label, way }: { label: string; way: Schemas["ProposedWay"] }) {
  const { t } = useTranslation();
  return (
    <p>
      <strong>{label}</strong>{" "}
      {t("proposal.way", {
        pickup: way.pickup_name,
        from: way.pickup_at.slice(0, 5),
        dropoff: way.dropoff_name,
        to: way.dropoff_at.slice(0, 5),
      })}
    </p>
  );
}
