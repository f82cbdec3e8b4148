import { type Backend, systemClock } from "@ojm/core/backend";
import { temporaryFolder } from "@ojm/testing/folder";
import { Level } from "level";
import { onTestFinished, vi } from "vitest";
import { backend } from "../index.js";

/** Opens a backend that is closed when the test ends. */
export async function openLevel(path: string = temporaryFolder()): Promise<Backend> {
  const opened = await backend.open({ path }, { clock: systemClock });
  onTestFinished(() => opened.close());
  return opened;
}

type Write = (options: unknown) => Promise<void>;

/** Replaces the write of each batch of LevelDB by `around`, until the test ends. */
export function aroundWrites(around: (write: Write, options: unknown) => Promise<void>): void {
  const make = Level.prototype.batch as () => { write: Write };
  const wrapped = function (this: Level): { write: Write } {
    const batch = make.call(this);
    const write = batch.write.bind(batch);
    batch.write = (options) => around(write, options);
    return batch;
  };
  vi.spyOn(Level.prototype, "batch").mockImplementation(wrapped as never);
}

/** The options of each later write to the disk. */
export function watchWrites(): unknown[] {
  const seen: unknown[] = [];
  aroundWrites(async (write, options) => {
    seen.push(options);
    await write(options);
  });
  return seen;
}
