import { vi } from "vitest";
import { execute } from "../execute.js";
import type { Ended } from "./ojm.js";

/**
 * Calls a command in this process, as if it was started in a folder: starting a process takes a second. One
 * call at a time: anything written meanwhile counts as its output.
 */
export async function called(folder: string, words: readonly string[]): Promise<Ended> {
  const written = { out: "", err: "" };
  const keep =
    (stream: "out" | "err") =>
    (data: unknown, ...more: readonly unknown[]): boolean => {
      written[stream] += String(data);
      const callback = more.at(-1);
      // A caller that waits for the write waits for this callback.
      if (typeof callback === "function") process.nextTick(() => callback());
      return true;
    };
  // In production a command is the only one of its process, and does not remove its listeners.
  for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
  const spies = [
    vi.spyOn(process, "cwd").mockReturnValue(folder),
    vi.spyOn(process.stdout, "write").mockImplementation(keep("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(keep("err")),
  ];
  try {
    return { code: await execute(words), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
