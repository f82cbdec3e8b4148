import type { Node } from "../yaml/node.js";

const INSTEAD = `set one by $set("state", "ready") in a script, and write "when" in the item of "todo": return $get("state") == "ready"`;

/** Keys of OpenAF that would change which jobs run, so that a run without them does something else. */
const KEYS: Readonly<Record<string, string>> = {
  "jobs.typeArgs.when": `"when" in "typeArgs" names states of OpenAF, which ojm does not have: ${INSTEAD}.`,
};

/** Why a key that ojm does not have is an error, and what to write instead. */
export function refusedKey(key: string, path: readonly string[]): string | undefined {
  const place = [...path, key].join(".");
  return Object.hasOwn(KEYS, place) ? KEYS[place] : undefined;
}

/** Why a value of OpenAF is an error, and what to write instead. */
export function refusedValue(node: Node, path: readonly string[]): string | undefined {
  if (path.join(".") !== "todo.when" || node.kind !== "list") return undefined;
  return `"when" must be code, not a list of states, which ojm does not have: ${INSTEAD}.`;
}
