import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Territory = Schemas["Territory"];
export type Example = Schemas["Example"];
export type Match = Schemas["Match"];
export type Leg = Schemas["Leg"];
export type Itinerary = Schemas["Itinerary"];
export type Plan = Schemas["Plan"];
export type Message = Schemas["Message"];
export type PlanQuery = paths["/api/v6/plan"]["get"]["parameters"]["query"];

/** A refusal or a failure, with the server's own words when it gave some. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const client = createClient<paths>({ baseUrl: "" });

function unwrap<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  if (data !== undefined) return data;
  const said = (error as { error?: unknown } | undefined)?.error;
  throw new ApiError(response.status, typeof said === "string" ? said : "");
}

export const getTerritory = async () => unwrap(await client.GET("/mobility/v1/territory"));

export const geocode = async (text: string, language: string, signal?: AbortSignal) =>
  unwrap(await client.GET("/api/v1/geocode", { params: { query: { text, language } }, signal }));

export const plan = async (query: PlanQuery, signal?: AbortSignal) =>
  unwrap(await client.GET("/api/v6/plan", { params: { query }, signal }));
