import { maskUrls } from "@ojm/core/internal";
import { placeChannel, type Saying } from "../plan/manager/channels.js";
import type { Plan } from "../plan/planned.js";
import type { Position } from "../text/problem.js";
import type { Runtime } from "./runtime/runtime.js";

/** Opens the channels that a file declares. Resolves to why one cannot be opened: then no job starts. */
export async function openDeclared(
  { settings }: Plan,
  runtime: Runtime,
  saying: (at: Position) => Saying,
): Promise<string | undefined> {
  for (const { name, at, ...written } of settings.channels?.create ?? []) {
    try {
      const { type, args } = await placeChannel(written, written, saying(at));
      await runtime.channels.call(name, "create", [type, args]);
    } catch (error) {
      return `the channel "${name}" of ojob.channels cannot be opened: ${maskUrls((error as Error).message)}`;
    }
  }
  return undefined;
}
