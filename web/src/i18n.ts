/** French first; English when the address bar asks for it. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./locales/en.json";
import fr from "./locales/fr.json";

const asked = new URLSearchParams(location.search).get("lang");

const show = (language: string) => {
  document.documentElement.lang = language;
  document.title = `Mobility – ${i18next.t("title")}`;
};

i18next.on("initialized", () => show(i18next.language));
i18next.on("languageChanged", show);

i18next.use(initReactI18next).init({
  lng: asked === "en" ? "en" : "fr",
  fallbackLng: "fr",
  resources: { fr: { translation: fr }, en: { translation: en } },
  interpolation: { escapeValue: false },
  initAsync: false,
});

export const byLanguage = (language: string, words: { fr?: string; en?: string }) =>
  (language === "en" ? words.en || words.fr : words.fr || words.en) ?? "";
