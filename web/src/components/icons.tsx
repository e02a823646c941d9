/** Our own drawings on a 24 unit grid, one line weight. They say nothing to a screen reader: the text does. */
import type { LegKind } from "../modes";

const DRAWINGS = {
  walk: "M13 4.2a1.6 1.6 0 1 0-.01 0M10 21l2-6-2.5-2.6L10.5 8l3 .8L15.5 12l2.5.8M12 15l3 2 .8 4M10.5 8 8 9.5 7.2 12.5",
  bike: "M6 18a3.5 3.5 0 1 0-.01 0M18 18a3.5 3.5 0 1 0-.01 0M6 14.5 9 8h5l4 6.5M9.5 8.5 12.5 14.5H6M14 8V5.5h2.5M7.5 8H10",
  car: "M4.7 16.5H2.5v-3.2l2.3-1L7.6 7.5h8.2l3.4 4.8 2.3 1v3.2h-2M9.2 16.5h5.8M6.95 18.8a2.2 2.2 0 1 0-.01 0M17.3 18.8a2.2 2.2 0 1 0-.01 0M12 7.5v4.8M4.8 12.3h14.4",
  carpool:
    "M4.7 16.5H2.5v-3.2l2.3-1L7.6 7.5h8.2l3.4 4.8 2.3 1v3.2h-2M9.2 16.5h5.8M6.95 18.8a2.2 2.2 0 1 0-.01 0M17.3 18.8a2.2 2.2 0 1 0-.01 0M9.6 13.2a1.3 1.3 0 1 0-.01 0M14.4 13.2a1.3 1.3 0 1 0-.01 0",
  bus: "M6 4h12a2 2 0 0 1 2 2v11H4V6a2 2 0 0 1 2-2ZM4 12h16M7 17v2.5M17 17v2.5M7.5 14.5h.01M16.5 14.5h.01",
  tram: "M8 6h8a2.5 2.5 0 0 1 2.5 2.5V15a3 3 0 0 1-3 3h-7a3 3 0 0 1-3-3V8.5A2.5 2.5 0 0 1 8 6ZM5.5 12h13M9 3h6M12 3v3M8 18l-2 3M16 18l2 3M9 15h.01M15 15h.01",
  subway:
    "M12 3a7 7 0 0 1 7 7v5a3 3 0 0 1-3 3H8a3 3 0 0 1-3-3v-5a7 7 0 0 1 7-7ZM5 12h14M8 18l-2 3M16 18l2 3M8.5 15h.01M15.5 15h.01",
  train:
    "M8 3h8a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3H8a3 3 0 0 1-3-3V6a3 3 0 0 1 3-3ZM5 11h14M12 3v8M8 18l-2 3M16 18l2 3M8.5 14.5h.01M15.5 14.5h.01",
  ferry:
    "M4 14l8-2.5 8 2.5-2 4.5H6L4 14ZM7 13V8h10v5M10 8V5h4v3M3 21c2 0 2-1 4.5-1s2.5 1 4.5 1 2-1 4.5-1 2.5 1 4.5 1",
  lift: "M3 7l18-4M12 5v5M7 10h10a1.5 1.5 0 0 1 1.5 1.5V18a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-6.5A1.5 1.5 0 0 1 7 10ZM5.5 15h13",
  other: "M5 12h13M13 7l5 5-5 5",
  stop: "M7 21V3M7 4h9a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2H7M10 7.5h5M10 10h3",
  place: "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11ZM12 12a2 2 0 1 0-.01 0",
  address: "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9M10.5 19v-5h3v5",
  coordinates: "M12 3v4M12 17v4M3 12h4M17 12h4M12 17a5 5 0 1 0-.01 0",
  swap: "M8 4v15M8 19l-3.5-3.5M8 19l3.5-3.5M16 20V5M16 5l-3.5 3.5M16 5l3.5 3.5",
  search: "M10.5 17a6.5 6.5 0 1 0-.01 0M15.5 15.5 20.5 20.5",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  chevron: "M6 9.5l6 6 6-6",
  info: "M12 21a9 9 0 1 0-.01 0M12 11v5.5M12 7.5h.01",
  alert: "M12 4 2.5 20h19L12 4ZM12 10v5M12 17.5h.01",
  minus: "M6 12h12",
  plus: "M6 12h12M12 6v12",
  leaf: "M5 19c0-9 5-14 15-14 0 9-5 14-11 13-3-.5-3.5-4 0-7 1.5-1.3 3.5-2 5.5-2.5",
  change: "M4 8h12M16 8l-3-3M16 8l-3 3M20 16H8M8 16l3-3M8 16l3 3",
  people:
    "M9 11a3 3 0 1 0-.01 0M3.5 19c0-3.5 2.5-5 5.5-5s5.5 1.5 5.5 5M16 11.5a2.5 2.5 0 1 0-.5-4.9M17 14.3c2.2.4 3.5 1.9 3.5 4.7",
  detour: "M4 18h4c3 0 1-11 4.5-11S14 18 17 18h3M20 18l-2.5-2.5M20 18l-2.5 2.5",
} as const;

export type IconName = keyof typeof DRAWINGS | LegKind;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={DRAWINGS[name]} />
    </svg>
  );
}

/** Two ways that meet: a line and a lift. */
export function Mark() {
  return (
    <svg className="mark" width="34" height="34" viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <path d="M4 7c12 0 12 18 24 18" stroke="currentColor" strokeWidth="3.6" strokeLinecap="round" />
      <path d="M4 25c12 0 12-18 24-18" stroke="var(--carpool)" strokeWidth="3.6" strokeLinecap="round" />
      <circle cx="16" cy="16" r="4" fill="var(--masthead)" stroke="currentColor" strokeWidth="2.6" />
    </svg>
  );
}
