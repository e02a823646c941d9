/** Cars under way: followed by a stream while somebody looks, and told where a driver is. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { onBehalf } from "./acting";
import { ApiError, reportPositions, type Schemas } from "./api/client";

export type Live = Schemas["Live"];
type Car = NonNullable<Live["car"]>;
type Position = Schemas["Position"];

const AGAIN_MS = 10_000;
const SEND_MS = 10_000;
/** More than an hour without network; the server takes no more at once. */
const KEPT_POSITIONS = 500;

/** The car on the map: the one that was told of last. */
let shown: Car | null = null;
const watchers = new Set<() => void>();
function showCar(car: Car | null) {
  shown = car;
  for (const watch of watchers) watch();
}
export const useShownCar = () =>
  useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => shown,
  );

/** What is known of a booked ride by now; null before, and where nothing is to be followed. */
export function useLive(booking: string): Live | null {
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    const left = new AbortController();
    const tell = (next: Live | null) => {
      if (left.signal.aborted) return;
      setLive(next);
      showCar(next?.car ?? null);
    };
    const follow = async () => {
      while (!left.signal.aborted) {
        // A stream that breaks, or has lasted long, is opened anew.
        const over = await followOnce(booking, left.signal, tell).catch(() => false);
        if (over) return tell(null);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    };
    follow();
    return () => {
      left.abort();
      showCar(null);
    };
  }, [booking]);
  return live;
}

/** True when there is nothing more to come. */
async function followOnce(booking: string, signal: AbortSignal, tell: (live: Live) => void) {
  const path = `/mobility/v1/bookings/${booking}/live/stream`;
  const answer = await fetch(path, { signal, headers: onBehalf(path) });
  if (!answer.ok || !answer.body) return answer.status < 500 && answer.status !== 429;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    text += value;
    const events = text.split("\n\n");
    text = events.pop()!;
    for (const event of events) {
      if (event.startsWith("event: end")) return true;
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) tell(JSON.parse(data.slice("data: ".length)));
    }
  }
}

/** Tell where one is, while `on`; what could not be sent is sent later. Gives what went wrong. */
export function useSharedPosition(ride: string, on: boolean): string | null {
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    if (!on) return;
    let kept: Position[] = [];
    const watch = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => {
        const { latitude, longitude, accuracy, heading, speed } = coords;
        kept = [
          ...kept.slice(1 - KEPT_POSITIONS),
          {
            lat: latitude,
            lon: longitude,
            at: new Date(timestamp).toISOString(),
            accuracy_m: Math.min(accuracy, 100_000),
            // A car that stands has no heading: browsers say null, or NaN.
            heading: Number.isFinite(heading) ? heading : null,
            speed_mps: Number.isFinite(speed) ? speed : null,
          },
        ];
      },
      () => setFault("live.noPosition"),
      { enableHighAccuracy: true },
    );
    const send = async () => {
      const batch = kept;
      if (batch.length === 0) return;
      kept = [];
      try {
        await reportPositions(ride, batch);
        setFault(null);
      } catch (error) {
        const refused = error instanceof ApiError && error.status < 500 && error.status !== 429;
        if (!refused) kept = [...batch, ...kept].slice(-KEPT_POSITIONS);
        setFault(refused ? "live.notTaken" : "live.notSent");
      }
    };
    const timer = setInterval(send, SEND_MS);
    return () => {
      clearInterval(timer);
      navigator.geolocation.clearWatch(watch);
      setFault(null);
    };
  }, [ride, on]);
  return fault;
}
