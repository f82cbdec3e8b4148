import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../parts/icon.js";
import { actOf, ask, type Offer, type Target } from "./acts.js";

interface MenuProps {
  readonly offers: readonly Offer[];
  readonly target: Target;
}

/** A button that opens the actions of a row. */
export function ActMenu({ offers, target }: MenuProps): VNode | null {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open.value) return undefined;
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) open.value = false;
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open.value]);
  if (offers.length === 0) return null;
  const key = (event: KeyboardEvent): void => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === "ArrowDown") items[(at + 1) % items.length]?.focus();
    else if (event.key === "ArrowUp") items[(at - 1 + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      open.value = false;
      box.current?.querySelector("button")?.focus();
      if (event.key === "Tab") return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu-box" ref={box}>
      <button
        type="button"
        class="tool"
        aria-label={`Actions of ${target.name}`}
        aria-haspopup="menu"
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        <Icon name="dots" />
      </button>
      {open.value && (
        <div class="menu" role="menu" tabIndex={-1} onKeyDown={key}>
          {offers.map(({ act, no }) => (
            <button
              type="button"
              role="menuitem"
              class="row"
              aria-disabled={no !== undefined}
              title={no}
              onClick={() => {
                if (no !== undefined) return;
                // The menu closes: its dialog must return the focus to an element that stays.
                box.current?.querySelector("button")?.focus();
                open.value = false;
                ask(act, target);
              }}
            >
              <Icon name={actOf(act, target).icon} />
              {actOf(act, target).label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** The actions of a page, as buttons. */
export const ActButtons = ({ offers, target }: MenuProps): VNode => (
  <>
    {offers.map(({ act, no }) => (
      // Not `disabled`: that would take the focus away from a user who waits here for a run to start.
      <button
        type="button"
        class="button"
        aria-disabled={no !== undefined}
        title={no}
        onClick={() => no === undefined && ask(act, target)}
      >
        <Icon name={actOf(act, target).icon} />
        {actOf(act, target).label}
      </button>
    ))}
  </>
);
