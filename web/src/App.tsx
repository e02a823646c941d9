import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useActing } from "./acting";
import { Account } from "./components/Account";
import { ActingFor } from "./components/ActingFor";
import { AgentDesk } from "./components/AgentDesk";
import { Examples } from "./components/Examples";
import { Footer } from "./components/Footer";
import { Mark } from "./components/icons";
import { Failure, Results } from "./components/Results";
import { SearchForm } from "./components/SearchForm";
import { Trips } from "./components/Trips";
import { EMPTY_SEARCH, readSearch, readView, type Search, type View, writeSearch } from "./search";
import { useTerritory } from "./territory";
import { usePlan } from "./usePlan";

const MapView = lazy(() => import("./components/MapView"));

/** What the list and the map point at together. */
export type Focus = { selected: string | null; hovered: string | null; leg: number | null };
/** On a phone the results are below the form. */
const stacked = matchMedia("(max-width: 899px)");

const NO_FOCUS: Focus = { selected: null, hovered: null, leg: null };

function useSearchInUrl() {
  const { i18n } = useTranslation();
  const [search, setSearch] = useState(() => readSearch(location.search));
  const [view, setView] = useState(() => readView(location.search));
  // When the rider asked: asking again for "now" means another now.
  const [asked, setAsked] = useState(() => new Date());

  useEffect(() => {
    const restore = () => {
      // A mere #fragment also comes here, and must not look like a new search.
      const next = readSearch(location.search);
      setSearch((old) => (writeSearch(old, "fr") === writeSearch(next, "fr") ? old : next));
      setView(readView(location.search));
      i18n.changeLanguage(new URLSearchParams(location.search).get("lang") === "en" ? "en" : "fr");
    };
    addEventListener("popstate", restore);
    return () => removeEventListener("popstate", restore);
  }, [i18n]);

  const submit = (next: Search) => {
    history.pushState(null, "", location.pathname + writeSearch(next, i18n.language));
    setView("search");
    setSearch(next);
    setAsked(new Date());
    if (stacked.matches) document.getElementById("results")?.scrollIntoView();
  };
  const switchLanguage = async () => {
    const next = i18n.language === "en" ? "fr" : "en";
    await i18n.changeLanguage(next);
    history.replaceState(null, "", location.pathname + writeSearch(search, next, view));
  };
  const show = (next: View) => {
    history.pushState(null, "", location.pathname + writeSearch(search, i18n.language, next));
    setView(next);
    document.getElementById("results")?.focus();
  };
  return { search, asked, submit, switchLanguage, view, show };
}

export function App() {
  const { t, i18n } = useTranslation();
  const served = useTerritory();
  const territory = served.data;
  const { search, asked, submit, switchLanguage, view, show } = useSearchInUrl();
  const plan = usePlan(search, asked);
  const [focus, setFocus] = useState(NO_FOCUS);
  const acting = useActing();
  const back = location.pathname + writeSearch(search, i18n.language);
  const searching = search.from !== null && search.to !== null;

  // A new search forgets what was pointed at.
  useEffect(() => setFocus(NO_FOCUS), [search, asked]);

  const options = useMemo(() => [...plan.direct, ...plan.itineraries], [plan.direct, plan.itineraries]);
  const selected = focus.selected ?? plan.firstKey;

  return (
    <I18nProvider locale={i18n.language === "en" ? "en-GB" : "fr-FR"}>
      <a className="skip" href="#results">
        {t("skip")}
      </a>
      <div className="page">
        <div className="panel">
          {acting && <ActingFor acting={acting} onEnd={() => show("agent")} />}
          <header className="masthead">
            <div className="brand-row">
              <a className="brand" href={i18n.language === "en" ? "/?lang=en" : "/"} aria-label={t("home")}>
                <Mark />
                <span>Mobility</span>
              </a>
              <p className="territory">
                <span>{territory?.name}</span>
                {territory?.generated && (
                  <span className="generated" title={t("generated.help")}>
                    {t("generated.badge")}
                  </span>
                )}
              </p>
              <Account
                view={view}
                hrefOf={(next) => writeSearch(search, i18n.language, next)}
                onShow={show}
              />
              <button
                className="language"
                type="button"
                onClick={switchLanguage}
                aria-label={t("language.switch")}
              >
                <span lang={i18n.language === "en" ? "fr" : "en"}>{t("language.other")}</span>
              </button>
            </div>
            {view === "search" && <SearchForm key={acting?.id} search={search} onSubmit={submit} />}
          </header>
          <main id="results" tabIndex={-1} key={acting?.id}>
            {served.isError && <Failure error={served.error} onRetry={() => served.refetch()} />}
            {view === "trips" ? (
              <Trips back={back} onBack={() => show("search")} />
            ) : view === "agent" ? (
              <AgentDesk back={back} onBack={() => show("search")} onActing={() => submit(EMPTY_SEARCH)} />
            ) : searching ? (
              <Results plan={plan} search={search} focus={{ ...focus, selected }} onFocus={setFocus} />
            ) : (
              territory && <Examples territory={territory} onPick={submit} />
            )}
          </main>
        </div>
        <section className="map-area" id="map" aria-label={t("map.label")}>
          <Suspense fallback={<p className="map-note">{t("map.loading")}</p>}>
            {territory && (
              <MapView
                territory={territory}
                options={options}
                ends={plan.ends}
                focus={{ ...focus, selected }}
                onFocus={setFocus}
              />
            )}
          </Suspense>
        </section>
        <Footer territory={territory} />
      </div>
    </I18nProvider>
  );
}
