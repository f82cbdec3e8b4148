import type { NotifyRule } from "../job-file.js";
import { child, itemsOf, type Node, textOf, toMap } from "../yaml/node.js";
import { placesIn } from "./read-values.js";

/** How deep the places in a rule are known: `to.email.smtp.host`. */
const LEVELS = 4;

/** Reads the rules of `notify` from a checked node. */
export function readNotify(node: Node | undefined): NotifyRule[] {
  return itemsOf(node).map((item) => {
    const { id, to, ...rest } = toMap(item);
    const command = child(child(item, "to"), "command");
    const receiver = { ...(to as object | undefined), ...(command && { command: textsOf(command) }) };
    const [on, jobs] = [child(item, "on"), child(item, "jobs")];
    const values = {
      // A name of digits is a text too.
      ...(id !== undefined && id !== null && { id: String(id) }),
      ...rest,
      ...(on && { on: textsOf(on) }),
      ...(jobs && { jobs: textsOf(jobs) }),
      to: receiver,
    };
    return { values, at: item.at, places: Object.fromEntries(placesIn(item, LEVELS)) };
  });
}

function textsOf(node: Node): string[] {
  return itemsOf(node).flatMap((item) => textOf(item) ?? []);
}
