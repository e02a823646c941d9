/** With whom somebody who is signed in may ride: what he is, and where he belongs. */
import { useQuery } from "@tanstack/react-query";
import { useActing } from "./acting";
import { listCommunities, readMarks } from "./api/client";
import { OWN, useMe } from "./session";

export function useCircles() {
  const me = useMe();
  const acting = useActing();
  const { data } = useQuery({
    queryKey: [OWN, acting?.id, "circles"],
    queryFn: async () => {
      const [marks, communities] = await Promise.all([readMarks(), listCommunities()]);
      return { ...marks, communities };
    },
    enabled: !!me && !acting,
    staleTime: 60_000,
  });
  return data;
}
