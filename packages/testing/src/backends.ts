import type { Backend, StoredChange, StoredWrite, WatchSink } from "../../core/src/channel/backend/backend.js";

/** Writes without a condition. Resolves to the version. */
export async function write(on: Pick<Backend, "commit">, ...writes: StoredWrite[]): Promise<string> {
  const outcome = await on.commit({ checks: [], writes });
  if (!outcome.ok) throw new Error("a commit without checks has lost a race");
  return outcome.version;
}

/** The range of all keys of the channel `name`. */
export function channel(name: string): { from: string; to: string } {
  return { from: `${name} `, to: `${name}!` };
}

/** Records the events of a watch. */
export class Recorder implements WatchSink {
  readonly changes: StoredChange[] = [];
  readonly failures: Error[] = [];
  gaps = 0;

  change(change: StoredChange): void {
    this.changes.push(change);
  }

  gap(): void {
    this.gaps++;
  }

  fail(error: Error): void {
    this.failures.push(error);
  }

  get error(): Error | undefined {
    return this.failures.at(-1);
  }

  get values(): (string | null)[] {
    return this.changes.map(({ value }) => value);
  }

  /** The values reported for a key, oldest first. */
  of(key: string): (string | null)[] {
    return this.changes.filter((change) => change.key === key).map(({ value }) => value);
  }
}
