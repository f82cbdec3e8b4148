import shapes from "virtual:icons";
import type { VNode } from "preact";
import { createElement } from "preact";

/** The name of an icon. */
export type IconName = keyof typeof shapes;

/** An icon. Assistive technology ignores it: it has a word beside it, or its button has a name. */
export function Icon({ name, spin = false }: { readonly name: IconName; readonly spin?: boolean }): VNode {
  return (
    <svg class={spin ? "icon spin" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
      {(shapes[name] ?? []).map(([tag, attributes]) => createElement(tag, attributes))}
    </svg>
  );
}
