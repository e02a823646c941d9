import { type FormEvent, useId } from "react";
import { useTranslation } from "react-i18next";
import {
  type Assisted,
  findAssisted,
  giveClaimCode,
  listToCall,
  noteCalled,
  registerAssisted,
  type ToCall,
} from "../api/client";
import { useFormat } from "../format";
import { useActFor, useMe, useOwn, useOwnAct } from "../session";
import { follow } from "./Account";
import { Icon } from "./icons";
import { Listed } from "./Listed";
import { NoticeList } from "./Notices";
import { Refusal } from "./Refusal";
import { Sure } from "./Sure";

type Props = { back: string; onBack: () => void; onActing: () => void };

/** What agents do for people who have only a telephone. */
export function AgentDesk({ back, onBack, onActing }: Props) {
  const { t } = useTranslation();
  const me = useMe();
  return (
    <section className="trips" aria-labelledby="desk-title">
      <a className="back" href={back} onClick={(event) => follow(event, onBack)}>
        <Icon name="search" size={16} /> {t("trips.back")}
      </a>
      <h2 id="desk-title">{t("agent.title")}</h2>
      {me?.scopes.includes("operator") ? (
        <>
          <p className="help">{t("agent.help")}</p>
          <People onActing={onActing} />
          <Calls onActing={onActing} />
        </>
      ) : (
        me !== undefined && <p>{t("refusal.not_allowed")}</p>
      )}
    </section>
  );
}

/** By the number of who calls: who is known there, or somebody new. */
function People({ onActing }: { onActing: () => void }) {
  const { t } = useTranslation();
  const heading = useId();
  const help = useId();
  const find = useOwnAct(findAssisted);
  const register = useOwnAct(registerAssisted);
  const search = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    register.reset();
    find.mutate(String(new FormData(event.currentTarget).get("telephone")));
  };
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const alias = String(new FormData(form).get("alias"));
    register.mutate({ alias, telephone: find.variables! }, { onSuccess: () => form.reset() });
  };
  const people = [...(register.data ? [register.data] : []), ...(find.data ?? [])];
  return (
    <section className="listed" aria-labelledby={heading}>
      <h3 id={heading}>{t("agent.find")}</h3>
      <form className="row" onSubmit={search}>
        <label className="field">
          <span>{t("agent.telephone")}</span>
          <input name="telephone" type="tel" required maxLength={40} autoComplete="off" />
        </label>
        <button className="act" type="submit" disabled={find.isPending}>
          {t("agent.search")}
        </button>
      </form>
      <Refusal error={find.error} />
      {find.data && (
        <>
          <p role="status">{t("agent.found", { count: people.length })}</p>
          <ul>
            {people.map((person) => (
              <li key={person.id} className="own-card">
                <Person person={person} onActing={onActing} />
              </li>
            ))}
          </ul>
          <form className="form" onSubmit={add}>
            <h4>{t("agent.new")}</h4>
            <label className="field">
              <span>{t("agent.name")}</span>
              <input name="alias" required maxLength={60} autoComplete="off" aria-describedby={help} />
            </label>
            <p className="help" id={help}>
              {t("agent.nameHelp")}
            </p>
            <Refusal error={register.error} />
            <p className="acts">
              <button className="act strong" type="submit" disabled={register.isPending}>
                {t("agent.register")}
              </button>
            </p>
          </form>
        </>
      )}
    </section>
  );
}

function Person({ person, onActing }: { person: Assisted; onActing: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const claim = useOwnAct(() => giveClaimCode(person.id));
  const name = person.alias;
  return (
    <>
      <p>
        <strong>{name}</strong> <a href={`tel:${person.telephone}`}>{person.telephone}</a>
      </p>
      <div role="status">
        {claim.data && (
          <>
            <p className="code">
              {t("agent.claimCode", { day: format.day(claim.data.until) })} <strong>{claim.data.code}</strong>
            </p>
            <p className="help">{t("agent.claimHelp", { name })}</p>
          </>
        )}
      </div>
      <Refusal error={claim.error} />
      <p className="acts">
        <ActFor person={person} onActing={onActing} />
        <Sure
          label={t("agent.claim")}
          question={t("agent.sureClaim", { name })}
          disabled={claim.isPending}
          onSure={() => claim.mutate(undefined)}
        />
      </p>
    </>
  );
}

function ActFor({ person, onActing }: { person: Assisted; onActing: () => void }) {
  const { t } = useTranslation();
  const actFor = useActFor();
  return (
    <button className="act strong" type="button" onClick={() => actFor(person).then(onActing)}>
      {t("agent.act", { name: person.alias })}
    </button>
  );
}

/** What such people have not been told yet, person by person. */
function Calls({ onActing }: { onActing: () => void }) {
  const { t } = useTranslation();
  const query = useOwn("to call", readCalls);
  const told = useOwnAct(noteCalled);
  return (
    <>
      <Listed
        title={t("agent.toCall")}
        query={query}
        none={t("agent.nobodyToCall")}
        card={({ person, notices }) => (
          <>
            <p>
              <strong>{person.alias}</strong> <a href={`tel:${person.telephone}`}>{person.telephone}</a>
            </p>
            <NoticeList notices={notices} />
            <p className="acts">
              <button
                className="act strong"
                type="button"
                disabled={told.isPending}
                onClick={() => told.mutate(notices.at(-1)!.id)}
              >
                {t("agent.told")}
              </button>
              <ActFor person={person} onActing={onActing} />
            </p>
          </>
        )}
      />
      <Refusal error={told.error} />
    </>
  );
}

type Call = { id: string; person: Assisted; notices: ToCall[] };

/** Who has waited longest comes first. */
async function readCalls(): Promise<Call[]> {
  const calls = new Map<string, Call>();
  for (const notice of await listToCall()) {
    const { person } = notice;
    const call = calls.get(person.id) ?? { id: person.id, person, notices: [] };
    call.notices.push(notice);
    calls.set(person.id, call);
  }
  return [...calls.values()];
}
