/**
 * Who is signed in, and what is his. The secret is in a cookie that no script can read; the page keeps
 * the session's id alone, which says that there is one to ask about.
 */
import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { actFor, useActing } from "./acting";
import {
  ApiError,
  beginSession,
  claimAccount,
  endSession,
  getMyself,
  register,
  type User,
} from "./api/client";

const KEPT = "signed-in";
const ME = ["me"];
/** What begins the keys of all that is one's own. */
export const OWN = "own";
/** Drivers answer, and riders book, while one looks. */
const REFRESH_MS = 15_000;

export function forgetSession(queries: QueryClient) {
  localStorage.removeItem(KEPT);
  actFor(null);
  queries.setQueryData(ME, null);
  queries.removeQueries({ queryKey: [OWN] });
}

/** Null when nobody is signed in, undefined while we do not know. */
export function useMe(): User | null | undefined {
  const { data, isPending } = useQuery({
    queryKey: ME,
    queryFn: () => (localStorage.getItem(KEPT) ? getMyself() : null),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return isPending ? undefined : (data ?? null);
}

export type Credentials = { email: string; password: string; alias?: string; code?: string };

/** Sign in; with an alias, register before; with an agent's code, take one's account over before. */
export function useSignIn(label: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ email, password, alias, code }: Credentials) => {
      if (alias) await register({ email, password, alias });
      if (code) await claimAccount({ email, password, code });
      const { id } = await beginSession(email, password, label);
      localStorage.setItem(KEPT, id);
      actFor(null);
      queries.removeQueries({ queryKey: [OWN] });
      await queries.invalidateQueries({ queryKey: ME });
    },
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      // What is cancelled is not tried again.
      await Promise.all([OWN, "plan"].map((first) => queries.cancelQueries({ queryKey: [first] })));
      return endSession(localStorage.getItem(KEPT) ?? "current");
    },
    onSuccess: () => forgetSession(queries),
  });
}

export function useOwn<T>(name: string, read: () => Promise<T>, enabled = true) {
  const acting = useActing();
  return useQuery({
    queryKey: [OWN, acting?.id, name],
    queryFn: read,
    // Whatever is asked on behalf of somebody is in the audit log: not what nobody has asked for.
    refetchInterval: acting ? false : REFRESH_MS,
    enabled,
  });
}

/** Begin, or end, to act for somebody: what is being read for another one is given up. */
export function useActFor() {
  const queries = useQueryClient();
  return async (person: Parameters<typeof actFor>[0]) => {
    await queries.cancelQueries({ queryKey: [OWN] });
    actFor(person);
  };
}

/** A change of what is one's own: done or refused, what is shown is read again. */
export function useOwnAct<Given, Done>(act: (given: Given) => Promise<Done>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSettled: () => queries.invalidateQueries({ queryKey: [OWN] }),
  });
}

/** Unlike `randomUUID`, also there where a page comes without TLS. */
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

/** As above, under a key that stays until the answer is known: a second try must not book, or publish, twice. */
export function useKeyedAct<Given, Done>(act: (given: Given, key: string) => Promise<Done>) {
  const kept = useRef({ given: "", key: "" });
  return useOwnAct(async (content: Given) => {
    const given = JSON.stringify(content);
    if (kept.current.given !== given) kept.current = { given, key: newKey() };
    try {
      const done = await act(content, kept.current.key);
      kept.current = { given: "", key: "" };
      return done;
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) kept.current = { given: "", key: "" };
      throw error;
    }
  });
}
