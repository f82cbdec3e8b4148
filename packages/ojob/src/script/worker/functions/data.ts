import { call } from "../bridge.js";
import { textOfShell } from "./shell-result.js";

/** JSON, by default indented by two spaces. A circular reference is shown as such. */
export function stringify(value: unknown, replacer?: never, space: string | number = 2): string | undefined {
  try {
    return JSON.stringify(value, replacer, space);
  } catch {
    const open: unknown[] = [];
    return JSON.stringify(
      value,
      function (this: unknown, _key, item: unknown) {
        while (open.length > 0 && open[open.length - 1] !== this) open.pop();
        if (open.includes(item)) return "[circular]";
        if (typeof item === "object" && item !== null) open.push(item);
        return typeof item === "bigint" ? String(item) : item;
      },
      space,
    );
  }
}

/**
 * The value of a JSON text. For any other text, `otherwise` if it is given, or the text itself; for no text,
 * `{}`. With `true` it also reads what JavaScript writes, as OpenAF does: keys without quotes, texts in
 * single quotes, comments, a comma at the end.
 */
export function jsonParse(given: unknown, otherwise?: unknown): unknown {
  const text = textOfShell(given);
  if (text === undefined || text === null || text === "") return {};
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    if (typeof otherwise === "boolean") return otherwise ? call("parseData", text) : text;
    return otherwise === undefined ? text : otherwise;
  }
}
