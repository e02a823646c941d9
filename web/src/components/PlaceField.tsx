import { useQuery, useQueryClient } from "@tanstack/react-query";
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

/** A place that was picked, and where it is: a stop's `value` is its id. */
export type Picked = PlaceRef & { lat: number; lon: number };

type Suggestion = Picked & { id: string; kind: Match["type"] | "COORDINATES"; area: string };

const ICONS: Record<Suggestion["kind"], IconName> = {
  STOP: "stop",
  PLACE: "place",
  ADDRESS: "address",
  COORDINATES: "coordinates",
};

export const MIN_LETTERS = 2;

function toPlace({ type, name, id, lat, lon }: Match): Picked {
  return { name, value: type === "STOP" ? id : `${lat},${lon}`, lat, lon };
}

function atCoordinates([lat, lon]: [lat: number, lon: number]): Picked {
  return { name: `${lat}, ${lon}`, value: `${lat},${lon}`, lat, lon };
}

/** What a text means to whoever did not pick: coordinates, else the best match, else what is wrong. */
export function useLookup() {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  return async (given: string): Promise<Picked | string> => {
    const text = given.trim();
    if (!text) return t("form.missing");
    const coordinates = parseCoordinates(text);
    if (coordinates) return atCoordinates(coordinates);
    try {
      const matches = await queries.fetchQuery({
        queryKey: ["geocode", text, i18n.language],
        queryFn: ({ signal }) => geocode(text, i18n.language, signal),
        staleTime: 5 * 60_000,
      });
      return matches[0] ? toPlace(matches[0]) : t("form.unresolved", { text });
    } catch {
      return t("form.failed");
    }
  };
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
  onPick: (place: Picked) => void;
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
      ? [{ ...atCoordinates(coordinates), id: "coordinates", kind: "COORDINATES", area: "" }]
      : (wanted.length < MIN_LETTERS ? [] : (data ?? [])).map((match) => ({
          ...toPlace(match),
          id: `${match.type}|${match.id}|${match.name}`, // stays when the list changes, and with it the focus
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
        const { name, value, lat, lon } = picked;
        onPick({ name, value, lat, lon });
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
      <Popover className={pending ? "suggestions pending" : "suggestions"} offset={6}>
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
