/** The plan's answer, paged both ways, flattened to what the list and the map show. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useActing } from "./acting";
import { type Itinerary, type Message, type Plan, plan } from "./api/client";
import { isStreet } from "./modes";
import { type Search, toPlanQuery } from "./search";
import { useMe } from "./session";
import { useTimezone } from "./territory";

export type Badge = "fastest" | "cheapest" | "greenest" | "direct";
export type Option = { key: string; itinerary: Itinerary; badges: Badge[] };
export type PlanView = ReturnType<typeof usePlan>;

export function usePlan(search: Search, asked: Date) {
  const { i18n } = useTranslation();
  const timezone = useTimezone();
  const me = useMe();
  const acting = useActing();
  const own = me?.scopes.includes("rider") ?? false;
  const request = toPlanQuery(search, timezone, asked);
  const query = useInfiniteQuery({
    // Without the language: the answer's words come in both, so a switch need not search again.
    queryKey: ["plan", request, me?.id, acting?.id],
    queryFn: ({ pageParam, signal }) =>
      plan({ ...request, pageCursor: pageParam, language: i18n.language }, own, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextPageCursor || undefined,
    getPreviousPageParam: (first) => first.previousPageCursor || undefined,
    enabled: search.from !== null && search.to !== null && me !== undefined,
    staleTime: 60_000,
  });
  const pages = query.data?.pages;
  const view = useMemo(() => flatten(pages ?? []), [pages]);
  // The first answer's first itinerary stays the one shown when earlier ones are added before it.
  const firstAnswer = pages?.[query.data?.pageParams.indexOf(undefined) ?? 0];
  const firstKey = firstAnswer?.itineraries[0]
    ? keyOf(firstAnswer.itineraries[0])
    : (view.itineraries[0]?.key ?? view.direct[0]?.key ?? null);
  return { query, firstKey, ...view };
}

const keyOf = ({ startTime, endTime, legs }: Itinerary) =>
  [startTime, endTime, ...legs.map((leg) => leg.tripId ?? leg.mode)].join("|");

function flatten(pages: Plan[]) {
  const found = new Map<string, Itinerary>();
  const messages = new Map<string, Message>();
  for (const page of pages) {
    for (const itinerary of page.itineraries) found.set(keyOf(itinerary), itinerary);
    for (const message of page.mobility?.messages ?? []) messages.set(message.code + message.fr, message);
  }
  // The direct ways do not depend on the time: the first page's are enough.
  const direct = new Map<string, Itinerary>();
  for (const itinerary of pages.find((page) => page.direct.length)?.direct ?? []) {
    if (itinerary.legs.every(isStreet)) direct.set(`direct|${keyOf(itinerary)}`, itinerary);
  }
  const first = pages[0];
  return {
    itineraries: withBadges(
      [...found]
        .map(([key, itinerary]) => ({ key, itinerary, badges: [] }))
        .sort(
          (a, b) =>
            Date.parse(a.itinerary.startTime) - Date.parse(b.itinerary.startTime) ||
            Date.parse(a.itinerary.endTime) - Date.parse(b.itinerary.endTime),
        ),
    ),
    direct: [...direct].map(([key, itinerary]): Option => ({ key, itinerary, badges: [] })),
    messages: [...messages.values()],
    generatedOffers: pages.some((page) => page.mobility?.generated_offers),
    ends: first ? { from: first.from, to: first.to } : null,
  };
}

const CRITERIA: Record<Badge, (itinerary: Itinerary) => number | null | undefined> = {
  fastest: (itinerary) => itinerary.duration,
  cheapest: ({ mobility }) => mobility?.own_price?.amount_cents ?? mobility?.price?.amount_cents,
  greenest: (itinerary) => itinerary.mobility?.co2_g,
  direct: (itinerary) => itinerary.transfers,
};

/** A badge tells options apart, so it is given only when the best value is known and rare. */
function withBadges(options: Option[]): Option[] {
  const badges = options.map((): Badge[] => []);
  for (const [badge, measure] of Object.entries(CRITERIA) as [Badge, (typeof CRITERIA)[Badge]][]) {
    const values = options.map(({ itinerary }) => measure(itinerary));
    const known = values.filter((value) => value != null);
    const best = Math.min(...known);
    const holders = values.filter((value) => value === best).length;
    if (known.length < 2 || holders > options.length / 2) continue;
    values.forEach((value, at) => {
      if (value === best) badges[at]!.push(badge);
    });
  }
  return options.map((option, at) => ({ ...option, badges: badges[at]! }));
}
