import { once } from "node:events";
import { type Backend, systemClock } from "@ojm/core/backend";
import { backend } from "../../index.js";

export function openFile(file: string): Promise<Backend> {
  return backend.open({ file }, { clock: systemClock });
}

/** Argument `i` of the program. */
export function argument(i: number): string {
  const value = process.argv[2 + i];
  if (value === undefined) throw new Error(`argument ${i} is missing`);
  return value;
}

export function tell(message: unknown): void {
  process.send?.(message);
}

/** Waits for the next message of the test. */
export async function told(): Promise<unknown> {
  const [message] = await once(process, "message");
  return message;
}

/** Lets the process end by itself, as soon as nothing else holds it. */
export function letGo(): void {
  process.disconnect();
}
