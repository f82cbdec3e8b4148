import { readFileSync } from "node:fs";
import { decodeKey } from "../../packages/core/src/channel/encoding/key.js";

/* The page of the entries in the store, docs/reference/entries.md. */

const page = readFileSync(new URL("../../docs/reference/entries.md", import.meta.url), "utf8");

/** An example of the page. */
interface Example {
  readonly channel: string;
  readonly key: unknown;
  readonly value: unknown;
  /** The text of the page around it: it names the fields that this example lacks. */
  readonly about: string;
}

export const examples: readonly Example[] = page
  .split(/^## /m)
  .filter((section) => section.startsWith("oJobManager-"))
  .flatMap((section) => {
    const channel = section.slice(0, section.indexOf("\n"));
    let about = "";
    return [...section.matchAll(/([\s\S]*?)^```json\n([\s\S]*?)^```$/gm)].map(([, text = "", json = ""]) => {
      if (text.includes("**")) about = "";
      about += text + json;
      return { channel, about, ...(JSON.parse(json) as { readonly key: unknown; readonly value: unknown }) };
    });
  });

/** Names in a key: its fixed first word, and how many parts follow. Of a map, its fields. */
function shapeOf(key: unknown): string {
  if (!Array.isArray(key)) return typeof key === "object" ? Object.keys(key ?? {}).join() : JSON.stringify(key);
  const [first, , third] = key as readonly unknown[];
  const kinds = ["call", "stop", "queue", "progress"];
  const last = kinds.find((kind) => kind === third) ?? typeof third;
  return `${typeof first === "string" ? first : "TIME"} ${key.length} ${last}`;
}

/** The kind of an entry. In the channel of the logs, the first part of a key is the name of a job. */
export const shape = (channel: string, key: unknown): string =>
  `${channel} ${channel === "oJobManager-logs" ? shapeOf(["NAME", ...(key as unknown[]).slice(1)]) : shapeOf(key)}`;

/** The channel of an entry, and its key in it, by the text of its key in a store. */
export function placeOf(stored: string): { readonly channel: string; readonly key: unknown; readonly text: string } {
  const end = stored.indexOf(" ");
  const text = stored.slice(end + 1);
  return { channel: stored.slice(0, end), key: decodeKey(text), text };
}

/** The kind of an entry, by the text of its key in a store. */
export function kindOf(stored: string): string {
  const { channel, key } = placeOf(stored);
  return shape(channel, key);
}
