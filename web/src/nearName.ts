import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Schemas, whatIsNear } from "./api/client";

/** The name of what is nearest to a place of which only the coordinates are kept. */
export function useNearName({ lat, lon }: Schemas["Point"]): string {
  const { i18n } = useTranslation();
  const place = `${lat},${lon}`;
  const { data } = useQuery({
    queryKey: ["near", place, i18n.language],
    queryFn: () => whatIsNear(place, i18n.language),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data?.[0]?.name ?? `${lat.toFixed(4)}, ${lon.toFixed(4)}`;
}
