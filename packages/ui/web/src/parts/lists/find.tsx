import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { place, setQuery } from "../../app/router.js";
import { Views } from "./views.js";

/** How long after the last key the list is read again, in ms. */
const PAUSE = 150;

/** Narrows a list to names with a text, which is in the address. A link may have one `name` there. */
export function FindField({ label }: { readonly label: string }): VNode {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // "Back" undoes all that was typed during one visit of the field, not letter by letter.
  const typed = useRef(false);
  const { query } = place.value;
  const value = query.get("q") ?? query.get("name") ?? "";
  useEffect(() => {
    if (field.current === null || timer.current !== undefined || field.current.value.trim() === value) return;
    field.current.value = value;
    typed.current = false;
  }, [value]);
  return (
    <>
      <Views />
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
          timer.current = setTimeout(() => {
            timer.current = undefined;
            setQuery({ q: currentTarget.value.trim(), name: undefined }, { replace: typed.current });
            typed.current = true;
          }, PAUSE);
        }}
        onBlur={() => (typed.current = false)}
        onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
      />
    </>
  );
}
