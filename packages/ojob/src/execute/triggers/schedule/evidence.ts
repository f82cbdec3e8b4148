import { visible } from "@ojm/core/internal";

/** The evidence of a tick: it comes from a store, to which anybody can write. */
type Evidence = { readonly [field: string]: unknown };

/** A value of the evidence, safe to show on a terminal. */
export function text(value: unknown): string {
  return visible(typeof value === "object" ? JSON.stringify(value) : String(value));
}

/** An instant in ms since 1970. */
export function timeText(value: unknown): string {
  const date = new Date(Number(value));
  return Number.isNaN(date.getTime()) ? text(value) : date.toISOString();
}

/** Who has the lock, as the error of a start says it. */
export function heldText({ holder, since, hold }: Evidence): string {
  if (isMap(hold)) {
    const by = hold["author"] === undefined ? "" : ` by ${text(hold["author"])}`;
    return `held for maintenance${by} until ${timeText(hold["until"])}: ${text(hold["reason"])}`;
  }
  if (!isMap(holder)) return "other waiters are ahead in its queue";
  return `held by ${text(holder["host"])}, pid ${text(holder["pid"])}, since ${timeText(since)}`;
}

function isMap(value: unknown): value is Evidence {
  return typeof value === "object" && value !== null;
}
