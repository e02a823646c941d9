import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import {
  Button,
  ComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Text,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { geocode, type Match } from "../api/client";
import { type PlaceRef, parseCoordinates } from "../search";
import { Icon, type IconName } from "./icons";

type Suggestion = PlaceRef & { id: string; kind: Match["type"] | "COORDINATES"; area: string };

const ICONS: Record<Suggestion["kind"], IconName> = {
  STOP: "stop",
  PLACE: "place",
  ADDRESS: "address",
  COORDINATES: "coordinates",
};

export const MIN_LETTERS = 2;

export function toPlace(match: Match): PlaceRef {
  return { name: match.name, value: match.type === "STOP" ? match.id : `${match.lat},${match.lon}` };
}

const areaOf = (match: Match) =>
  (match.areas?.find((area) => area.default) ?? match.areas?.find((area) => area.unique))?.name ?? "";

function useDebounced(text: string, milliseconds: number) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds);
    return () => clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}

type Props = {
  label: string;
  text: string;
  error: string | null;
  onText: (text: string) => void;
  onPick: (place: PlaceRef) => void;
};

export function PlaceField({ label, text, error, onText, onPick }: Props) {
  const { t, i18n } = useTranslation();
  const [typing, setTyping] = useState(false);
  const wanted = useDebounced(text.trim(), 180);
  const coordinates = parseCoordinates(text);
  const { data, isFetching, isError } = useQuery({
    queryKey: ["geocode", wanted, i18n.language],
    queryFn: ({ signal }) => geocode(wanted, i18n.language, signal),
    enabled: typing && wanted.length >= MIN_LETTERS && !coordinates,
    staleTime: 5 * 60_000,
    placeholderData: (previous) => previous,
  });

  // Only while the rider types: an empty list is what closes the menu after a pick.
  const suggestions: Suggestion[] = !typing
    ? []
    : coordinates
      ? [
          {
            id: "coordinates",
            kind: "COORDINATES",
            area: "",
            name: coordinates.join(", "),
            value: coordinates.join(","),
          },
        ]
      : (wanted.length < MIN_LETTERS ? [] : (data ?? [])).map((match, at) => ({
          ...toPlace(match),
          id: `${at}|${match.id}`,
          kind: match.type,
          area: areaOf(match),
        }));
  const pending = isFetching || wanted !== text.trim();

  return (
    <ComboBox
      className="place-field"
      inputValue={text}
      onInputChange={(next) => {
        if (next === text) return;
        setTyping(true);
        onText(next);
      }}
      value={null}
      onChange={(key) => {
        const picked = suggestions.find(({ id }) => id === key);
        if (!picked) return;
        setTyping(false);
        onPick({ name: picked.name, value: picked.value });
      }}
      items={suggestions}
      defaultFilter={() => true}
      allowsCustomValue
      allowsEmptyCollection={typing && text.trim().length >= MIN_LETTERS}
      menuTrigger="input"
      isInvalid={error !== null}
      shouldFocusWrap
    >
      <Label>{label}</Label>
      <div className="place-input">
        <Input
          placeholder={t("form.placeholder")}
          autoComplete="off"
          spellCheck="false"
          enterKeyHint="search"
        />
        {text && (
          // `slot={null}` keeps the combobox from taking this button for its arrow.
          <Button
            slot={null}
            className="clear"
            aria-label={t("form.clear", { label })}
            onPress={() => onText("")}
          >
            <Icon name="close" size={16} />
          </Button>
        )}
      </div>
      <FieldError className="field-error">{error}</FieldError>
      <Popover className="suggestions" offset={6}>
        <ListBox<Suggestion>
          renderEmptyState={() => (
            <p className="no-suggestion">
              {isError ? t("form.failed") : pending ? t("form.searching") : t("form.none")}
            </p>
          )}
        >
          {(item) => (
            <ListBoxItem id={item.id} textValue={item.name} className="suggestion">
              <Icon name={ICONS[item.kind]} />
              <Text slot="label" className="suggestion-name">
                {item.name}
              </Text>
              <Text slot="description" className="suggestion-kind">
                {[t(`match.${item.kind}`), item.area].filter(Boolean).join(" · ")}
              </Text>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
