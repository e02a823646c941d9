import { useTranslation } from "react-i18next";
import type { Territory } from "../api/client";
import { byLanguage } from "../i18n";
import { fromExample, type Search } from "../search";
import { Icon } from "./icons";

export function Examples({ territory, onPick }: { territory: Territory; onPick: (search: Search) => void }) {
  const { t, i18n } = useTranslation();
  return (
    <section className="examples" aria-labelledby="examples-title">
      <p className="intro">{t("examples.intro", { territory: territory.name })}</p>
      {territory.generated && (
        <p className="message">
          <Icon name="info" />
          <span>
            {t("generated.badge")}. {t("generated.help")}
          </span>
        </p>
      )}
      {territory.offer_count > 0 && (
        <p className="offers">
          <Icon name="carpool" /> {t("examples.offers", { count: territory.offer_count })}
        </p>
      )}
      {territory.examples.length > 0 && <h2 id="examples-title">{t("examples.title")}</h2>}
      <ul>
        {territory.examples.map((example) => (
          <li key={example.title_fr}>
            <button
              className="chip"
              type="button"
              onClick={() => onPick(fromExample(example, territory, new Date()))}
            >
              <span className="chip-title">
                {byLanguage(i18n.language, { fr: example.title_fr, en: example.title_en })}
              </span>
              <span className="chip-ends">
                {example.from.name} → {example.to.name}
              </span>
              <span className="chip-time">
                {t(`weekday.${example.weekday}`)} {example.depart}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
