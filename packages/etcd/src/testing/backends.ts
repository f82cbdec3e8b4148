import { type Backend, type Clock, systemClock } from "@ojm/core/backend";
import { write } from "@ojm/testing/backends";
import { onTestFinished } from "vitest";
import { backend } from "../index.js";

/** Opens a backend that is closed when the test ends. */
export async function openEtcd(args: Readonly<Record<string, unknown>>, clock: Clock = systemClock): Promise<Backend> {
  const opened = await backend.open(args, { clock });
  onTestFinished(() => opened.close());
  return opened;
}

/** Puts without a condition, and returns the version. */
export async function put(on: Backend, key: string, value: string, ttl?: number): Promise<string> {
  return await write(on, { key, value, ...(ttl === undefined ? {} : { ttl }) });
}

/** Waits for a condition. Only the timeout of the test limits it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
