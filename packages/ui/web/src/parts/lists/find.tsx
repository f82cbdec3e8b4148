import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { place, setQuery } from "../../app/router.js";
import { Views } from "./views.js";

/** How long after the last key the list is read again, in ms. */
const PAUSE = 150;

interface FindFieldProps {
  readonly label: string;
  /** The part of the address that has the text. Default: `q`, that of the names. */
  readonly param?: string;
}

/** Narrows a list to items with a text, which is in the address. A link may have one `name` there. */
export function FindField({ label, param = "q" }: FindFieldProps): VNode {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // "Back" undoes all that was typed during one visit of the field, not letter by letter.
  const typed = useRef(false);
  const { query } = place.value;
  const ofNames = param === "q";
  const value = query.get(param) ?? (ofNames ? query.get("name") : undefined) ?? "";
  useEffect(() => {
    if (field.current === null || timer.current !== undefined || field.current.value.trim() === value) return;
    field.current.value = value;
    typed.current = false;
  }, [value]);
  return (
    <>
      {ofNames && <Views />}
      <input
        ref={field}
        type="search"
        class="input find-field"
        data-find={ofNames || undefined}
        aria-label={label}
        placeholder={label}
        autocomplete="off"
        spellcheck={false}
        defaultValue={value}
        onInput={({ currentTarget }) => {
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            timer.current = undefined;
            const text = currentTarget.value.trim();
            setQuery({ [param]: text, ...(ofNames && { name: undefined }) }, { replace: typed.current });
            typed.current = true;
          }, PAUSE);
        }}
        onBlur={() => (typed.current = false)}
        onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
      />
    </>
  );
}
