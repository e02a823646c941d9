import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { Failure } from "./Results";

type Props<T> = {
  title: string;
  query: UseQueryResult<T[]>;
  none: string;
  card: (one: T) => ReactNode;
  /** What is over is folded away, the last one first. */
  isOver?: (one: T) => boolean;
};

/** A titled list of what is one's own, also while it is asked for, empty, or not to be had. */
export function Listed<T extends { id: string }>(props: Props<T>) {
  const { title, query, none, card, isOver = () => false } = props;
  const { t } = useTranslation();
  const heading = useId();
  const ahead = query.data?.filter((one) => !isOver(one)) ?? [];
  const over = query.data?.filter(isOver).reverse() ?? [];
  const list = (given: T[]) => (
    <ul>
      {given.map((one) => (
        <li key={one.id} className="own-card">
          {card(one)}
        </li>
      ))}
    </ul>
  );
  return (
    <section className="listed" aria-labelledby={heading}>
      <h3 id={heading}>{title}</h3>
      {query.isPending && <p className="muted">{t("trips.loading")}</p>}
      {query.isError && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && ahead.length === 0 && <p className="muted">{none}</p>}
      {ahead.length > 0 && list(ahead)}
      {over.length > 0 && (
        <details className="over">
          <summary>{t("trips.over", { count: over.length })}</summary>
          {list(over)}
        </details>
      )}
    </section>
  );
}
