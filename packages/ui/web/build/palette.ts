import * as radix from "@radix-ui/colors";
import type { Plugin } from "vite";

const ID = "virtual:palette.css";

/** The scales that the style sheets use. */
const SCALES = ["slate", "iris", "jade", "red", "orange", "amber", "plum"] as const;

/**
 * Serves the colours as variables of `light-dark()`: one rule serves both themes, needs no script before the
 * first paint, and is half the size of the style sheets of Radix.
 */
export function palette(): Plugin {
  return {
    name: "ojm-palette",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load: (id) => (id === `\0${ID}` ? css() : undefined),
  };
}

/** The name and the value of each colour. */
export function variables(): [name: string, value: string][] {
  const scales = radix as unknown as Readonly<Record<string, Readonly<Record<string, string>>>>;
  return SCALES.flatMap((name) =>
    Array.from({ length: 12 }, (_, i): [string, string] => {
      const light = scales[name]?.[`${name}${i + 1}`];
      const dark = scales[`${name}Dark`]?.[`${name}${i + 1}`];
      if (light === undefined || dark === undefined) throw new Error(`@radix-ui/colors has no ${name} ${i + 1}`);
      return [`--${name}-${i + 1}`, `light-dark(${light},${dark})`];
    }),
  );
}

const css = (): string =>
  `:root{${variables()
    .map(([name, value]) => `${name}:${value};`)
    .join("")}}`;
