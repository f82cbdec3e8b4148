import { effect } from "@preact/signals";
import { remembered } from "./remembered.js";

/** The colours: those of the system, or a choice of the reader. */
export const theme = remembered<"auto" | "light" | "dark">("theme", "auto", ["auto", "light", "dark"]);

/** Takes the next of the three. */
export function nextTheme(): void {
  theme.value = theme.value === "auto" ? "light" : theme.value === "light" ? "dark" : "auto";
}

/** Keeps the page in the chosen colours. */
export function applyTheme(): void {
  effect(() => {
    const { dataset } = document.documentElement;
    if (theme.value === "auto") delete dataset["theme"];
    else dataset["theme"] = theme.value;
  });
}
