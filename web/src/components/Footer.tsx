import { useTranslation } from "react-i18next";
import type { Territory } from "../api/client";
import { useFormat } from "../format";

const OSM = "https://www.openstreetmap.org/copyright";
const ODBL = "https://opendatacommons.org/licenses/odbl/";

export function OsmCredit({ generated }: { generated: boolean }) {
  const { t } = useTranslation();
  if (generated) return <span>{t("map.generated")}</span>;
  return (
    <span>
      <a href={OSM}>{t("map.osm")}</a>, <a href={ODBL}>{t("footer.licence")}</a>
    </span>
  );
}

export function Footer({ territory }: { territory: Territory | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!territory) return null;
  return (
    <footer className="footer">
      <h2>{t("footer.sources")}</h2>
      <ul>
        <li>
          <OsmCredit generated={territory.generated} />
        </li>
        {territory.attributions.map(({ text, url }) => (
          <li key={text}>{url ? <a href={url}>{text}</a> : text}</li>
        ))}
        {territory.feeds.map((feed) => (
          <li key={feed.id}>
            {t("footer.feeds", { name: feed.name })}
            {feed.valid_from && feed.valid_to && (
              <span className="muted">
                {" "}
                (
                {t("footer.valid", {
                  from: format.shortDay(feed.valid_from),
                  to: format.shortDay(feed.valid_to),
                })}
                )
              </span>
            )}
          </li>
        ))}
        <li className="muted">
          {territory.name}, {t("footer.revision", { revision: territory.revision })}
        </li>
      </ul>
    </footer>
  );
}
