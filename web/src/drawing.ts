/** The way that a driver draws: a form keeps it, the map shows it and adds to it. */
import { useSyncExternalStore } from "react";
import type { Schemas } from "./api/client";

export type Point = Schemas["Point"];
type Drawing = {
  /** The form whose way it is: one at a time. */
  owner: string;
  /** Corners, in order. */
  line: Point[];
  start: Point | null;
  end: Point | null;
  /** Where the drive goes through, as long as nothing is drawn. */
  stops: Point[];
  /** Whether he is at it: then clicks on the map are corners. */
  active: boolean;
  onLine: (line: Point[]) => void;
  onDone: () => void;
};

let shown: Drawing | null = null;
const watchers = new Set<() => void>();
function change(next: Drawing | null) {
  shown = next;
  for (const watch of watchers) watch();
}

/** Of two forms the one in which somebody began to draw last is shown. */
export function showDrawing(next: Drawing) {
  if (shown && shown.owner !== next.owner) {
    if (!next.active) return;
    shown.onDone();
  }
  change(next);
}

export function hideDrawing(owner: string) {
  if (shown?.owner === owner) change(null);
}

export const useDrawing = () =>
  useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => shown,
  );
