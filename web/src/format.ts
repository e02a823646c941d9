/** Numbers and times as the rider reads them. Unknown is said, never shown as zero. */
import { useTranslation } from "react-i18next";
import { useTimezone } from "./territory";
import { localDate } from "./time";

export function useFormat() {
  const { t, i18n } = useTranslation();
  const timeZone = useTimezone();
  const language = i18n.language === "en" ? "en-GB" : "fr-FR";

  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

  return {
    number,
    time: (iso: string) =>
      new Intl.DateTimeFormat(language, { timeZone, hour: "2-digit", minute: "2-digit" }).format(
        new Date(iso),
      ),
    day: (iso: string) =>
      new Intl.DateTimeFormat(language, { timeZone, weekday: "long", day: "numeric", month: "long" }).format(
        new Date(iso),
      ),
    /** Of a calendar day, "2026-09-08". */
    fullDay: (day: string) =>
      new Intl.DateTimeFormat(language, {
        timeZone: "UTC",
        weekday: "long",
        day: "numeric",
        month: "long",
      }).format(new Date(`${day}T00:00Z`)),
    /** Of "2026-09". */
    month: (month: string) =>
      new Intl.DateTimeFormat(language, { timeZone: "UTC", month: "long", year: "numeric" }).format(
        new Date(`${month}-01T00:00Z`),
      ),
    shortDay: (day: string) =>
      new Intl.DateTimeFormat(language, {
        timeZone: "UTC",
        day: "numeric",
        month: "short",
        year: "numeric",
      }).format(new Date(`${day}T00:00Z`)),
    /** 1 when `later` falls on the day after `earlier`. */
    daysBetween: (earlier: string, later: string) =>
      Math.round(
        (Date.parse(localDate(new Date(later), timeZone)) -
          Date.parse(localDate(new Date(earlier), timeZone))) /
          86_400_000,
      ),
    duration: (seconds: number) => {
      const minutes = Math.max(1, Math.round(seconds / 60));
      if (minutes < 60) return t("unit.minutes", { value: minutes });
      return t("unit.hours", {
        hours: Math.floor(minutes / 60),
        minutes: String(minutes % 60).padStart(2, "0"),
      });
    },
    minutes: (seconds: number) => t("unit.minutes", { value: Math.max(1, Math.round(seconds / 60)) }),
    distance: (metres: number) =>
      metres < 1000
        ? t("unit.metres", { value: number(metres < 100 ? metres : Math.round(metres / 10) * 10) })
        : t("unit.kilometres", { value: number(metres / 1000, 1) }),
    money: (cents: number, currency: string) =>
      new Intl.NumberFormat(language, { style: "currency", currency }).format(cents / 100),
    co2: (grams: number) =>
      grams < 1000
        ? t("unit.grams", { value: number(grams) })
        : t("unit.kilograms", { value: number(grams / 1000, 1) }),
  };
}
