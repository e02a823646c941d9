import { useState } from "react";
import { useTranslation } from "react-i18next";

type Props = { label: string; question: string; disabled: boolean; onSure: () => void };

/** A button for what cannot be undone: it asks once more. */
export function Sure({ label, question, disabled, onSure }: Props) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <button className="act" type="button" disabled={disabled} onClick={() => setAsking(true)}>
        {label}
      </button>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a row here
    <span className="sure" role="group" aria-label={question}>
      <span>{question}</span>
      <button
        className="act strong"
        type="button"
        // biome-ignore lint/a11y/noAutofocus: the button that was pressed is gone, and this one took its place
        autoFocus
        disabled={disabled}
        onClick={() => {
          setAsking(false);
          onSure();
        }}
      >
        {t("sure.yes")}
      </button>
      <button className="act" type="button" onClick={() => setAsking(false)}>
        {t("sure.no")}
      </button>
    </span>
  );
}
