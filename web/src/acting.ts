/** For whom an agent acts: what is asked of bookings, series and wishes is then that person's. */
import { useSyncExternalStore } from "react";

export type Acting = { id: string; alias: string };

/** Kept for this tab alone: a page that is loaded again must not book for the agent himself. */
const KEPT = "acting-for";

const read = (): Acting | null => JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
let acting = read();
const watchers = new Set<() => void>();

export function actFor(person: Acting | null) {
  acting = person && { id: person.id, alias: person.alias };
  if (acting) sessionStorage.setItem(KEPT, JSON.stringify(acting));
  else sessionStorage.removeItem(KEPT);
  for (const watch of watchers) watch();
}

export const useActing = () =>
  useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => acting,
  );

/** Words for what is somebody else’s, where a text has them. */
export const useActingWords = () => ({ context: useActing() ? "acting" : undefined });

const RIDERS_OWN = /^\/mobility\/v1\/(bookings|series|wishes)(\/|$)/;

/** The header of a request that is that person's. */
export const onBehalf = (path: string): Record<string, string> =>
  acting && RIDERS_OWN.test(path) ? { "On-Behalf-Of": acting.id } : {};

export const isActing = () => acting !== null;
