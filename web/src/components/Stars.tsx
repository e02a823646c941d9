import { useTranslation } from "react-i18next";

const STARS = [1, 2, 3, 4, 5];

type Props = { title: string; disabled: boolean; onRate: (stars: number) => void };

/** One to five stars, each a button. */
export function Stars({ title, disabled, onRate }: Props) {
  const { t } = useTranslation();
  return (
    <fieldset className="rate" disabled={disabled}>
      <legend>{title}</legend>
      {STARS.map((stars) => (
        <button
          key={stars}
          className="act"
          type="button"
          aria-label={t("rate.stars", { count: stars })}
          onClick={() => onRate(stars)}
        >
          {stars}
          <span aria-hidden="true"> ★</span>
        </button>
      ))}
    </fieldset>
  );
}
