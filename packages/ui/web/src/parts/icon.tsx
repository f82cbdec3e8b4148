import shapes from "virtual:icons";
import type { VNode } from "preact";
import { createElement } from "preact";

/** The name of an icon. */
export type IconName = keyof typeof shapes;

/** An icon. It says nothing to assistive technology: a word is beside it, or the name of its button. */
export function Icon({ name, spin = false }: { readonly name: IconName; readonly spin?: boolean }): VNode {
  return (
    <svg class={spin ? "icon spin" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
      {(shapes[name] ?? []).map(([tag, attributes]) => createElement(tag, attributes))}
    </svg>
  );
}
