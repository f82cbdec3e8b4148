import type { VNode } from "preact";
import { PAGES } from "../app/router.js";
import { Modal } from "../parts/modal.js";
import { keysOpen, singleKeys } from "./keys.js";

const KEYS: readonly (readonly [what: string, keys: readonly string[]])[] = [
  ["Find and do", ["Ctrl", "K"]],
  ["Find on this page", ["/"]],
  ["Actions of this page", ["."]],
  ["Next row, row before", ["j", "k"]],
  ["Open the row", ["Enter"]],
  ["These keys", ["?"]],
  ["Timeline: lane", ["↑", "↓"]],
  ["Timeline: run or tick", ["←", "→"]],
  ["Timeline: zoom", ["+", "−"]],
  ["Timeline: move", ["Shift", "← →"]],
  ["Log: follow the end", ["f"]],
  ["Log: next, last match", ["Enter", "Shift Enter"]],
];

/** All keys. */
export function KeysDialog(): VNode | null {
  if (!keysOpen.value) return null;
  const all = [...KEYS, ...PAGES.map(({ label, key }) => [label, ["g", key]] as const)];
  return (
    <Modal
      label="Keys"
      onClose={() => {
        keysOpen.value = false;
      }}
    >
      <div class="dialog wide">
        <h2>Keys</h2>
        <dl class="keys">
          {all.map(([what, keys]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>
                {keys.map((key) => (
                  <>
                    <kbd key={key}>{key}</kbd>{" "}
                  </>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <label class="check">
          <input
            type="checkbox"
            checked={singleKeys.value === "on"}
            onChange={({ currentTarget }) => {
              singleKeys.value = currentTarget.checked ? "on" : "off";
            }}
          />{" "}
          Single letters are keys
        </label>
      </div>
    </Modal>
  );
}
