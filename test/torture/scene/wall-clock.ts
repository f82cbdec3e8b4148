import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The path of libfaketime; `undefined` if it is not installed. */
export function clockLibrary(): string | undefined {
  const folders = existsSync("/usr/lib") ? readdirSync("/usr/lib").map((name) => `/usr/lib/${name}/faketime`) : [];
  return folders.map((folder) => join(folder, "libfaketime.so.1")).find((path) => existsSync(path));
}

/** A wall clock of one process that can be set. Its monotonic clock is that of the host. */
export class WallClock {
  /** The environment that the process must be started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  /** `file` says how far ahead the clock is. */
  constructor(library: string, file: string) {
    this.#file = file;
    this.env = {
      LD_PRELOAD: library,
      DONT_FAKE_MONOTONIC: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_NO_CACHE: "1",
      FAKETIME_TIMESTAMP_FILE: file,
    };
    this.set(0);
  }

  /** Sets the clock `ahead` seconds ahead of the host's. */
  set(ahead: number): void {
    // Replace the file in one step: a process that finds it empty ends itself.
    writeFileSync(`${this.#file}.new`, `${ahead < 0 ? "" : "+"}${ahead}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
