import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { place, setQuery } from "../../app/router.js";

/** The time without a key after which the list is read anew, in ms. */
const PAUSE = 150;

/** A field that narrows a list. What is typed is in the address. */
export function FindField({ label, of = "q" }: { readonly label: string; readonly of?: string }): VNode {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const value = place.value.query.get(of) ?? "";
  useEffect(() => {
    if (field.current !== null && document.activeElement !== field.current) field.current.value = value;
  }, [value]);
  return (
    <input
      ref={field}
      type="search"
      class="input find-field"
      data-find
      aria-label={label}
      placeholder={label}
      autocomplete="off"
      spellcheck={false}
      defaultValue={value}
      onInput={({ currentTarget }) => {
        clearTimeout(timer.current);
        timer.current = setTimeout(() => setQuery({ [of]: currentTarget.value.trim() }), PAUSE);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}
