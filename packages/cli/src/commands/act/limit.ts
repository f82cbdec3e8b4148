import type { PermitView } from "@ojm/core";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError, notFound } from "../../errors.js";
import { type Column, printItems } from "../../output/items.js";
import { done } from "../../output/print.js";
import { withStore } from "../../store/open.js";
import { whyOf } from "./reason.js";

const COLUMNS: readonly Column<PermitView>[] = [
  { title: "PERMIT", cut: "name", cell: ({ name }) => name },
  { title: "LIMIT", cell: ({ limit }) => (limit === undefined ? "" : String(limit)) },
  { title: "HELD", cell: ({ held }) => String(held) },
  { title: "WAITING", cell: ({ waiting }) => (waiting === 0 ? "" : String(waiting)) },
  { title: "HELD BY", rank: 1, cut: "text", cell: ({ runs }) => runs.join(", ") },
];

/** Shows permits, with their limits, holders and waiters, or sets the limit of one. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given, 2);
  const [name, text] = given.operands;
  if (name !== undefined && text !== undefined) return set(given, name, text);
  return withStore(given, async (manager) => {
    const shown = (await manager.permits()).filter((one) => name === undefined || one.name === name);
    if (name !== undefined && shown.length === 0)
      throw notFound(`the permit "${name}" has no limit, no holder and no waiter in this store`);
    await printItems(given, shown, COLUMNS, "no permit has a limit, a holder or a waiter");
  });
}

async function set(given: Given, name: string, text: string): Promise<number> {
  if (text !== "default" && !/^\d+$/.test(text))
    throw new CommandError(`ojm limit takes a whole number or "default" after the name, not "${text}"`);
  const limit = text === "default" ? undefined : Number(text);
  return withStore(given, async (manager) => {
    await manager.limit(name, limit, whyOf(given));
    const then = limit === undefined ? "is no longer set: the numbers of the runs count" : `is ${limit}`;
    return done(given, `the limit of the permit "${name}" ${then}`, { name, ...(limit !== undefined && { limit }) });
  });
}
