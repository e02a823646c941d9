import createClient from "openapi-fetch";
import { isActing, onBehalf } from "../acting";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Territory = Schemas["Territory"];
export type Example = Schemas["Example"];
export type Match = Schemas["Match"];
export type Leg = Schemas["Leg"];
export type Itinerary = Schemas["Itinerary"];
export type Plan = Schemas["Plan"];
export type Message = Schemas["Message"];
export type User = Schemas["User"];
export type Booking = Schemas["Booking"];
export type BookingState = Schemas["BookingState"];
export type Series = Schemas["Series"];
export type SeriesDate = Schemas["SeriesDate"];
export type PassengerSeries = Schemas["PassengerSeries"];
export type Notice = Schemas["Notice"];
export type Proposal = Schemas["Proposal"];
export type Ride = Schemas["Ride"];
export type DonePassenger = Schemas["DonePassenger"];
export type Passenger = Schemas["Passenger"];
export type Offer = Schemas["Offer"];
export type OfferContent = Schemas["OfferContent"];
export type Vehicle = Schemas["Vehicle"];
export type Assisted = Schemas["Assisted"];
export type ToCall = Schemas["ToCall"];
export type Need = Schemas["Need"];
export type Audience = Schemas["Audience"];
export type Wish = Schemas["Wish"];
export type Bill = Schemas["Bill"];
export type PaidRider = Schemas["PaidRider"];
export type HeldBatch = Schemas["HeldBatch"];
export type Card = Schemas["Card"];
export type WishContent = Schemas["WishContent"];
export type PlanQuery = paths["/api/v6/plan"]["get"]["parameters"]["query"];

/** A refusal or a failure, with the server's own words when it gave some. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code = "",
  ) {
    super(message);
  }
}

/** Ends what is being read when somebody signs out: a read that the server sees afterwards is refused. */
let reads = new AbortController();

const client = createClient<paths>({
  baseUrl: "",
  fetch: (request) =>
    request.method === "GET"
      ? fetch(request, { signal: AbortSignal.any([request.signal, reads.signal]) })
      : fetch(request),
});

client.use({
  onRequest({ request, schemaPath }) {
    for (const [name, value] of Object.entries(onBehalf(schemaPath))) request.headers.set(name, value);
  },
});

function unwrap<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  // An answer without content has no data.
  if (response.ok) return data as T;
  const { error: said, code } = (error ?? {}) as Partial<Schemas["Error"]>;
  throw new ApiError(response.status, typeof said === "string" ? said : "", code);
}

/** Of 100 each: who has more would not look at them all here. */
const PAGE_LIMIT = 5;

/** The pages of a list, the newest first. */
export async function readPages<Page extends { next: string | null }>(
  read: (after?: string) => Promise<Page>,
): Promise<Page[]> {
  const pages = [await read()];
  for (let next = pages[0]!.next; next && pages.length < PAGE_LIMIT; next = pages.at(-1)!.next)
    pages.push(await read(next));
  return pages;
}

export const getTerritory = async () => unwrap(await client.GET("/mobility/v1/territory"));

export const geocode = async (text: string, language: string, signal?: AbortSignal) =>
  unwrap(await client.GET("/api/v1/geocode", { params: { query: { text, language } }, signal }));

export const whatIsNear = async (place: string, language: string) =>
  unwrap(
    await client.GET("/api/v1/reverse-geocode", { params: { query: { place, language, numResults: 1 } } }),
  );

/**
 * `own` finds what is for whoever is signed in, too: the cookie goes to our own paths alone. Who acts for
 * somebody else does not find what is for himself.
 */
export const plan = async (query: PlanQuery, own: boolean, signal?: AbortSignal) =>
  unwrap(
    await client.GET(own && !isActing() ? "/mobility/v1/plan" : "/api/v6/plan", {
      params: { query },
      signal,
    }),
  );

export const register = async (body: Schemas["NewUser"]) =>
  unwrap(await client.POST("/mobility/v1/users", { body }));

export const getMyself = async () => unwrap(await client.GET("/mobility/v1/users/me"));

/** The secret stays in a cookie that this page cannot read: it holds none. */
export const beginSession = async (email: string, password: string, label: string) =>
  unwrap(await client.POST("/mobility/v1/sessions", { body: { email, password, label, cookie: true } }));

export const endSession = async (id: string) => {
  reads.abort();
  reads = new AbortController();
  return unwrap(await client.DELETE("/mobility/v1/sessions/{id}", { params: { path: { id } } }));
};

export const book = async (wanted: Omit<Schemas["Wanted"], "confirm">, key: string) =>
  unwrap(
    await client.POST("/mobility/v1/bookings", {
      params: { header: { "Idempotency-Key": key } },
      body: { ...wanted, confirm: true },
    }),
  );

export const listBookings = async (after?: string) =>
  unwrap(await client.GET("/mobility/v1/bookings", { params: { query: { after } } }));

export const listMonths = async () => unwrap(await client.GET("/mobility/v1/bills"));

export const readBill = async (month: string) =>
  unwrap(await client.GET("/mobility/v1/bills/{month}", { params: { path: { month } } }));

export const listCards = async () => unwrap(await client.GET("/mobility/v1/media"));

export const linkCard = async (body: { number: string; label: string }) =>
  unwrap(await client.POST("/mobility/v1/media", { body }));

export const unlinkCard = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/media/{id}", { params: { path: { id } } }));

export const chooseItinerary = async (legs: Schemas["Choice"]["legs"]) =>
  unwrap(await client.POST("/mobility/v1/chosen-itineraries", { body: { legs } }));

export const listChosen = async () => unwrap(await client.GET("/mobility/v1/chosen-itineraries"));

export const dropItinerary = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/chosen-itineraries/{id}", { params: { path: { id } } }));

export const listPaidFor = async () => unwrap(await client.GET("/mobility/v1/paid-for"));

export const offerToPay = async (until: string) =>
  unwrap(await client.POST("/mobility/v1/paid-for", { body: { until } }));

export const stopPaying = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/paid-for/{id}", { params: { path: { id } } }));

export const readPayer = async () => unwrap(await client.GET("/mobility/v1/paid-by"));

export const takePayer = async (code: string) =>
  unwrap(await client.PUT("/mobility/v1/paid-by", { body: { code } }));

export const payMyself = async () => unwrap(await client.DELETE("/mobility/v1/paid-by"));

export const listHeld = async () => unwrap(await client.GET("/mobility/v1/usage/held"));

export const takeHeld = async (id: string, clock_ahead_s: number) =>
  unwrap(
    await client.POST("/mobility/v1/usage/held/{id}", { params: { path: { id } }, body: { clock_ahead_s } }),
  );

export const dropHeld = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/usage/held/{id}", { params: { path: { id } } }));

type BookingAct = "cancel" | "accept-change" | "refuse-change" | "driver-absent" | "complain";

export const changeBooking = async (id: string, act: BookingAct) =>
  unwrap(await client.POST("/mobility/v1/bookings/{id}/{act}", { params: { path: { id, act } } }));

export const takePlanB = async (id: string) =>
  unwrap(await client.POST("/mobility/v1/bookings/{id}/take-plan-b", { params: { path: { id } } }));

export const rateDriver = async (id: string, stars: number) =>
  unwrap(await client.POST("/mobility/v1/bookings/{id}/rate", { params: { path: { id } }, body: { stars } }));

export const ratePassenger = async (id: string, booking: string, stars: number) =>
  unwrap(
    await client.POST("/mobility/v1/rides/{id}/passengers/{booking}/rate", {
      params: { path: { id, booking } },
      body: { stars },
    }),
  );

export const tellPassenger = async (id: string, booking: string, text: string) =>
  unwrap(
    await client.POST("/mobility/v1/rides/{id}/passengers/{booking}/tell", {
      params: { path: { id, booking } },
      body: { text },
    }),
  );

export const bookSeries = async (body: Schemas["SeriesWanted"], key: string) =>
  unwrap(await client.POST("/mobility/v1/series", { params: { header: { "Idempotency-Key": key } }, body }));

export const listSeries = async () => unwrap(await client.GET("/mobility/v1/series"));

export const cancelSeries = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/series/{id}", { params: { path: { id } } }));

export const listPassengerSeries = async () => unwrap(await client.GET("/mobility/v1/passenger-series"));

export const answerSeries = async (id: string, act: "accept" | "decline" | "cancel") =>
  unwrap(await client.POST("/mobility/v1/passenger-series/{id}/{act}", { params: { path: { id, act } } }));

export const listNotices = async (count: number) =>
  unwrap(await client.GET("/mobility/v1/notices", { params: { query: { newest: true, count } } }));

export const readNotices = async (id: number) =>
  unwrap(await client.POST("/mobility/v1/notices/{id}/read", { params: { path: { id } } }));

export const listProposals = async () => unwrap(await client.GET("/mobility/v1/proposals"));

export const beInterested = async (id: string) =>
  unwrap(await client.POST("/mobility/v1/proposals/{id}/interested", { params: { path: { id } } }));

export const declineProposal = async (id: string) =>
  unwrap(await client.POST("/mobility/v1/proposals/{id}/decline", { params: { path: { id } } }));

export const listRides = async (since: string) =>
  unwrap(await client.GET("/mobility/v1/rides", { params: { query: { since } } }));

export const changeRide = async (id: string, act: "start" | "end" | "cancel") =>
  unwrap(await client.POST("/mobility/v1/rides/{id}/{act}", { params: { path: { id, act } } }));

export const tellLate = async (id: string, late_s: number) =>
  unwrap(await client.POST("/mobility/v1/rides/{id}/late", { params: { path: { id } }, body: { late_s } }));

export const reportPositions = async (id: string, positions: Schemas["Position"][]) =>
  unwrap(
    await client.POST("/mobility/v1/rides/{id}/positions", {
      params: { path: { id } },
      body: { positions },
    }),
  );

export const answerPassenger = async (
  id: string,
  booking: string,
  act: "accept" | "decline" | "alight" | "absent",
) =>
  unwrap(
    await client.POST("/mobility/v1/rides/{id}/passengers/{booking}/{act}", {
      params: { path: { id, booking, act } },
    }),
  );

export const boardPassenger = async (id: string, booking: string, code: string) =>
  unwrap(
    await client.POST("/mobility/v1/rides/{id}/passengers/{booking}/board", {
      params: { path: { id, booking } },
      body: { code },
    }),
  );

export const listOffers = async (after?: string) =>
  unwrap(await client.GET("/mobility/v1/offers", { params: { query: { after } } }));

export const publishOffer = async (body: OfferContent, key: string) =>
  unwrap(await client.POST("/mobility/v1/offers", { params: { header: { "Idempotency-Key": key } }, body }));

export const costsOfDrive = async (body: Schemas["Drive"], signal?: AbortSignal) =>
  unwrap(await client.POST("/mobility/v1/offers/costs", { body, signal }));

export const replaceOffer = async (id: string, body: Schemas["OfferChange"]) =>
  unwrap(await client.PUT("/mobility/v1/offers/{id}", { params: { path: { id } }, body }));

export const changeOffer = async (id: string, act: "pause" | "resume") =>
  unwrap(await client.POST("/mobility/v1/offers/{id}/{act}", { params: { path: { id, act } } }));

export const endOffer = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/offers/{id}", { params: { path: { id } } }));

export const saveWish = async (body: WishContent) =>
  unwrap(await client.POST("/mobility/v1/wishes", { body }));

export const listWishes = async () => unwrap(await client.GET("/mobility/v1/wishes"));

export const listMatches = async (id: string) =>
  unwrap(await client.GET("/mobility/v1/wishes/{id}/matches", { params: { path: { id } } }));

export const endWish = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/wishes/{id}", { params: { path: { id } } }));

export const readMarks = async () => unwrap(await client.GET("/mobility/v1/users/me/marks"));

export const sayWoman = async (is_woman: boolean) =>
  unwrap(await client.PUT("/mobility/v1/users/me/woman", { body: { is_woman } }));

export const listCommunities = async () => unwrap(await client.GET("/mobility/v1/communities"));

export const joinCommunity = async (code: string) =>
  unwrap(await client.POST("/mobility/v1/communities/join", { body: { code } }));

export const leaveCommunity = async (id: string) =>
  unwrap(await client.POST("/mobility/v1/communities/{id}/leave", { params: { path: { id } } }));

export const listBlocks = async () => unwrap(await client.GET("/mobility/v1/blocks"));

export const stayApart = async (alias: string) =>
  unwrap(await client.POST("/mobility/v1/blocks", { body: { alias } }));

export const stayApartNoMore = async (id: string) =>
  unwrap(await client.DELETE("/mobility/v1/blocks/{id}", { params: { path: { id } } }));

export const reportPoint = async (id: string, body: Schemas["PointReport"]) =>
  unwrap(await client.POST("/mobility/v1/meeting-points/{id}/reports", { params: { path: { id } }, body }));

export const registerAssisted = async (body: Schemas["NewAssisted"]) =>
  unwrap(await client.POST("/mobility/v1/agents/people", { body }));

export const findAssisted = async (telephone: string) =>
  unwrap(await client.GET("/mobility/v1/agents/people", { params: { query: { telephone } } }));

export const giveClaimCode = async (id: string) =>
  unwrap(await client.POST("/mobility/v1/agents/people/{id}/claim-code", { params: { path: { id } } }));

export const listToCall = async () => unwrap(await client.GET("/mobility/v1/agents/notices"));

export const noteCalled = async (id: number) =>
  unwrap(await client.POST("/mobility/v1/agents/notices/{id}/read", { params: { path: { id } } }));

export const claimAccount = async (body: Schemas["Claim"]) =>
  unwrap(await client.POST("/mobility/v1/users/claim", { body }));
