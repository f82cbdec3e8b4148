import { openSync, writeSync } from "node:fs";
import type { Event } from "../scene/events.js";
import { LagWatch } from "../scene/lag-watch.js";
import { hostTime } from "../scene/time.js";

type Entry = Event extends infer E ? (E extends Event ? Omit<E, "t"> : never) : never;

/** The journal of a process. It writes synchronously, so an entry is written even if the process dies. */
export class Journal {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
    new LagWatch((lag) => this.write({ e: "lag", ...lag }));
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify({ t: hostTime(), ...entry })}\n`);
  }
}
