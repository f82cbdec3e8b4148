import type { Notify, NotifyRule } from "../job-file.js";
import { child, itemsOf, type Node, textOf, toMap } from "../yaml/node.js";
import { placesIn } from "./read-values.js";

/** How deep the places in a rule are known: `to.email.smtp.host`. */
const LEVELS = 4;

/**
 * Reads `notify` from a checked node. An empty list is one too: it replaces the rules of an included file.
 */
export function readNotify(node: Node | undefined): Notify | undefined {
  if (node === undefined) return undefined;
  const rules = readRules(node.kind === "map" ? child(node, "rules") : node);
  const url = child(node, "url");
  return { rules, ...(url && { url: { text: textOf(url) ?? "", at: url.at } }) };
}

function readRules(node: Node | undefined): NotifyRule[] {
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
