import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { remembered } from "../app/remembered.js";
import { go, PAGES } from "../app/router.js";
import { Modal } from "../parts/modal.js";
import { paletteOpen } from "./palette.js";

/** Whether the list of keys is open. */
export const keysOpen = signal(false);

/** Whether single letters are keys. Users of voice control turn them off. */
export const singleKeys = remembered<"on" | "off">("keys", "on", ["on", "off"]);

/** How long `g` waits for the key of a page, in ms. */
const PATIENCE = 1_500;

let afterG = 0;

/** Handles the keys that work on every page. */
export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      paletteOpen.value = !paletteOpen.value;
      return;
    }
    const isText =
      event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [contenteditable]");
    const isBusy = document.querySelector("dialog[open]") !== null;
    if (isText || isBusy || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (singleKeys.value === "on" && single(event)) event.preventDefault();
  });
}

function single(event: KeyboardEvent): boolean {
  const { key, timeStamp } = event;
  const page = timeStamp - afterG < PATIENCE && afterG > 0 ? PAGES.find((each) => each.key === key) : undefined;
  afterG = 0;
  if (page !== undefined) go(page.path);
  else if (key === "g") afterG = timeStamp;
  else if (key === "/") return findOnPage() || openPalette();
  else if (key === ".") return openPalette();
  else if (key === "?") keysOpen.value = true;
  else if (key === "j" || key === "k") return moveRow(key === "j" ? 1 : -1);
  else return false;
  return true;
}

function openPalette(): true {
  paletteOpen.value = true;
  return true;
}

/** Focuses the search field of the page, if it has one. */
function findOnPage(): boolean {
  const field = document.querySelector<HTMLInputElement>("input[data-find]");
  field?.focus();
  field?.select();
  return field !== null;
}

/** Focuses the main link of the next or the previous row of a list. */
function moveRow(step: 1 | -1): boolean {
  const links = [...document.querySelectorAll<HTMLElement>("main [data-row]")];
  const at = links.findIndex(
    (link) => link === document.activeElement || link.closest("tr, li")?.contains(document.activeElement),
  );
  const next = links[at === -1 ? (step === 1 ? 0 : links.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next !== undefined;
}

const KEYS: readonly (readonly [what: string, keys: readonly string[]])[] = [
  ["Command palette", ["Ctrl", "K"]],
  ["Find on this page", ["/"]],
  ["Actions of this page", ["."]],
  ["Next row, previous row", ["j", "k"]],
  ["Open the row", ["Enter"]],
  ["Keyboard shortcuts", ["?"]],
  ["Timeline: lane", ["↑", "↓"]],
  ["Timeline: run or tick", ["←", "→"]],
  ["Timeline: zoom", ["+", "−"]],
  ["Timeline: move", ["Shift", "← →"]],
  ["Log: follow the end", ["f"]],
  ["Log: next, previous match", ["Enter", "Shift Enter"]],
];

/** All keys. */
export function KeysDialog(): VNode | null {
  if (!keysOpen.value) return null;
  const all = [...KEYS, ...PAGES.map(({ label, key }) => [label, ["g", key]] as const)];
  return (
    <Modal label="Keyboard shortcuts" onClose={() => (keysOpen.value = false)}>
      <div class="dialog wide">
        <h2>Keyboard shortcuts</h2>
        <dl class="keys">
          {all.map(([what, keys]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd class="nowrap">
                {keys.map((key) => (
                  <>
                    <kbd key={key}>{key}</kbd>{" "}
                  </>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <label class="check row">
          <input
            type="checkbox"
            checked={singleKeys.value === "on"}
            onChange={({ currentTarget }) => (singleKeys.value = currentTarget.checked ? "on" : "off")}
          />{" "}
          Single-letter shortcuts
        </label>
      </div>
    </Modal>
  );
}
