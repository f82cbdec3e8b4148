import { userInfo } from "node:os";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { spanOption, timeOption } from "../../command-line/units.js";
import { withStore } from "../../store/open.js";
import { done } from "./done.js";
import { reasonOf } from "./reason.js";

const DAY = 86_400_000;

/** Keeps all runs of a job away. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a job");
  const until = timeOption(given, "until", Date.now(), 1) ?? Date.now() + DAY;
  const wait = spanOption(given, "wait") ?? 0;
  const reason = await reasonOf(given, `hold ${name}`);
  return withStore(given, async (manager) => {
    const lock = await manager.hold(name, { reason, author: author(), until, wait });
    const end = new Date(until).toISOString();
    return done(given, `"${name}" is held until ${end}. To end it sooner: ojm unlock ${name}`, lock);
  });
}

/** Who sits at the keyboard. */
export function author(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user may have no name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
