import { openSync, writeSync } from "node:fs";
import type { Event } from "../events.js";
import { hostTime } from "../time.js";

/** How often it is looked whether the process comes to its timers, and from when on it counts that it did not, in ms. */
const LOOK = 5;
export const LAG = 12;

type Entry = Event extends infer E ? (E extends Event ? Omit<E, "t"> : never) : never;

/** Where a process writes down what happens, at once: what it wrote is there whatever becomes of it. */
export class Journal {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
    this.#watchLag();
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify({ t: hostTime(), ...entry })}\n`);
  }

  #watchLag(): void {
    let last = hostTime();
    const look = (): void => {
      const now = hostTime();
      if (now - last > LAG) this.write({ e: "lag", from: last, to: now });
      last = now;
      setTimeout(look, LOOK).unref();
    };
    look();
  }
}
