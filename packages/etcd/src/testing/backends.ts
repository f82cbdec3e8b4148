import { type Backend, type StoredChange, type StoredWrite, systemClock, type WatchSink } from "@ojm/core/backend";
import { onTestFinished } from "vitest";
import { backend } from "../index.js";

/** Opens a backend that is closed when the test ends. */
export async function openEtcd(args: Readonly<Record<string, unknown>>): Promise<Backend> {
  const opened = await backend.open(args, { clock: systemClock });
  onTestFinished(() => opened.close());
  return opened;
}

/** Puts without a condition, and returns the version. */
export async function put(on: Backend, key: string, value: string, ttl?: number): Promise<string> {
  return await write(on, { key, value, ...(ttl === undefined ? {} : { ttl }) });
}

/** Writes without a condition, and returns the version. */
export async function write(on: Backend, ...writes: StoredWrite[]): Promise<string> {
  const outcome = await on.commit({ checks: [], writes });
  if (!outcome.ok) throw new Error("a commit without checks has lost a race");
  return outcome.version;
}

/** A range of all keys of the channel `name`. */
export function channel(name: string): { from: string; to: string } {
  return { from: `${name} `, to: `${name}!` };
}

/** Records what a watch reports, so that a test can wait for it. */
export class Recorder implements WatchSink {
  readonly changes: StoredChange[] = [];
  gaps = 0;
  error: Error | undefined;

  change(change: StoredChange): void {
    this.changes.push(change);
  }

  gap(): void {
    this.gaps++;
  }

  fail(error: Error): void {
    this.error = error;
  }

  /** The values reported for a key, oldest first. */
  of(key: string): (string | null)[] {
    return this.changes.filter((change) => change.key === key).map(({ value }) => value);
  }
}

/** Waits for a condition. Only the timeout of the test limits it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
