/** Wall time in the territory's zone; the browser's own zone never matters. */

const parts = new Map<string, Intl.DateTimeFormat>();

function wallClock(instant: Date, timezone: string): string {
  let format = parts.get(timezone);
  if (!format) {
    // The Swedish locale writes ISO dates: "2026-09-08 07:00".
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: timezone,
      dateStyle: "short",
      timeStyle: "short",
    });
    parts.set(timezone, format);
  }
  return format.format(instant).replace(" ", "T");
}

/** "2026-09-08T07:00" as seen on a clock in the territory. */
export const localMinute = wallClock;

export const localDate = (instant: Date, timezone: string) => wallClock(instant, timezone).slice(0, 10);

/** The instant at which a clock in the zone shows `local` ("2026-09-08T07:00"). */
export function toInstant(local: string, timezone: string): Date {
  const wanted = Date.parse(`${local}Z`);
  let instant = wanted;
  // Twice: the first guess may fall on the other side of a change to daylight saving time.
  for (let i = 0; i < 2; i++) instant += wanted - Date.parse(`${wallClock(new Date(instant), timezone)}Z`);
  return new Date(instant);
}

export function addDays(day: string, count: number): string {
  const date = new Date(`${day}T00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

/** "23:30" and 120 minutes are "25:30": the day that began goes on, as the API writes it. */
export function addMinutes(clock: string, count: number): string {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  const sum = Math.max(0, hours * 60 + minutes + count);
  return [Math.floor(sum / 60), sum % 60].map((part) => String(part).padStart(2, "0")).join(":");
}
