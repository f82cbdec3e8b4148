import { effect } from "@preact/signals";
import { remembered } from "./remembered.js";

/** The colours: those of the system, or a choice of the user. */
export const theme = remembered<"auto" | "light" | "dark">("theme", "auto", ["auto", "light", "dark"]);

/** Switches to the next of the three themes. */
export function nextTheme(): void {
  theme.value = theme.value === "auto" ? "light" : theme.value === "light" ? "dark" : "auto";
}

/** Applies the chosen theme to the page. */
export function applyTheme(): void {
  effect(() => {
    const { dataset } = document.documentElement;
    if (theme.value === "auto") delete dataset["theme"];
    else dataset["theme"] = theme.value;
  });
}
