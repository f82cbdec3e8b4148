import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The path of libfaketime; `undefined` if it is not installed. */
export function clockLibrary(): string | undefined {
  const folders = existsSync("/usr/lib") ? readdirSync("/usr/lib").map((name) => `/usr/lib/${name}/faketime`) : [];
  return folders.map((folder) => join(folder, "libfaketime.so.1")).find((path) => existsSync(path));
}

/** A wall clock of one process that can be set. Its monotonic clock is that of the host. */
export class WallClock {
  /** What the process must be started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  /** It is told in `file` how far ahead it is. */
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

  /** It is ahead by so many seconds from now on. */
  set(ahead: number): void {
    // In one step: a process that finds the file empty ends itself.
    writeFileSync(`${this.#file}.new`, `${ahead < 0 ? "" : "+"}${ahead}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
