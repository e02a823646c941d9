/** With whom somebody who is signed in may ride: what he is, and where he belongs. */
import { useQuery } from "@tanstack/react-query";
import { listCommunities, readMarks } from "./api/client";
import { OWN, useMe } from "./session";

export function useCircles() {
  const me = useMe();
  const { data } = useQuery({
    queryKey: [OWN, "circles"],
    queryFn: async () => {
      const [marks, communities] = await Promise.all([readMarks(), listCommunities()]);
      return { ...marks, communities };
    },
    enabled: !!me,
    staleTime: 60_000,
  });
  return data;
}
