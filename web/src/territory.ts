import { useQuery } from "@tanstack/react-query";
import { getTerritory } from "./api/client";

export const useTerritory = () =>
  useQuery({ queryKey: ["territory"], queryFn: getTerritory, staleTime: 5 * 60_000 });

/** The territory's zone; the page is French first, so Paris until the server has answered. */
export const useTimezone = () => useTerritory().data?.timezone ?? "Europe/Paris";
