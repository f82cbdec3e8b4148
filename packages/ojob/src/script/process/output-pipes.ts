import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** How many pipes are made at once: one process makes them all. */
const AT_ONCE = 8;

/** The two ends of a pipe. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

const spare: Pipe[] = [];
let making: Promise<void> | undefined;

/**
 * Pipes for the standard output and error of a program. Node itself would give it sockets, and Linux opens no
 * socket by its path, so `> /dev/stderr` in a script would fail (nodejs/node#21941). Resolves to `undefined`
 * on systems where sockets suffice, or where pipes cannot be made.
 */
export async function outputPipes(): Promise<readonly Pipe[] | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    while (spare.length < 2) {
      making ??= makePipes().finally(() => {
        making = undefined;
      });
      await making;
    }
    return spare.splice(0, 2);
  } catch {
    // The folder for temporary files or mkfifo may be missing, for example. Most scripts work without pipes.
    return undefined;
  }
}

/**
 * Reads what the program writes. Call it once the program has its ends: it closes those of this process, so
 * that a pipe ends when no process of the program has it open any more.
 */
export async function readPipes(pipes: readonly Pipe[]): Promise<Readable[]> {
  const { Socket } = await import("node:net");
  for (const { write } of pipes) closeSync(write);
  return pipes.map(({ read }) => new Socket({ fd: read, readable: true, writable: false }));
}

/** Closes all ends, for a program that does not start. */
export function closePipes(pipes: readonly Pipe[] = []): void {
  for (const { read, write } of pipes) for (const end of [read, write]) closeSync(end);
}

/** Makes named pipes, opens them, and removes their names: Node cannot make pipes without names. */
async function makePipes(): Promise<void> {
  const { execFile } = await import("node:child_process");
  const folder = mkdtempSync(join(tmpdir(), "ojm-pipes-"));
  try {
    const names = Array.from({ length: AT_ONCE }, (_, index) => join(folder, String(index)));
    await new Promise<void>((resolve, reject) => {
      execFile("mkfifo", ["-m", "600", ...names], (error) => (error === null ? resolve() : reject(error)));
    });
    for (const name of names) {
      // Without O_NONBLOCK, this would wait for a writer.
      const read = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
      spare.push({ read, write: openSync(name, constants.O_WRONLY) });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
