import { bursts, type RequestCounter } from "@ojm/conformance";
import { joinedScript } from "../../../packages/redis/src/commit/script.js";
import type { Script } from "../../../packages/redis/src/scripts.js";

/** The script of several commits, as the workers run it on one server. */
export const joined: Script = joinedScript({
  publish: "PUBLISH",
  database: "",
  prefixBytes: "ojm:".length,
  replicas: 0,
});

/** A call of several commits, some of which start a run. */
export interface JoinedCall {
  readonly commits: number;
  readonly starts: number;
}

/** Sees the calls of several commits in what a client sends to Redis. */
export class JoinedCalls {
  #next: ((call: JoinedCall) => void) | undefined;

  /** For a proxy, which asks for a counter for each connection. */
  readonly counter = (): RequestCounter => {
    const counter = bursts();
    return {
      sent: (chunk) => {
        const call = this.#next && callIn(chunk);
        if (call !== undefined) this.#take()?.(call);
        return counter.sent(chunk);
      },
      answered: () => counter.answered(),
    };
  };

  /** Calls `listener` with the next call that starts several runs, before the server has that call. */
  onNext(listener: (call: JoinedCall) => void): void {
    this.#next = listener;
  }

  #take(): ((call: JoinedCall) => void) | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }
}

/** The first call of several commits in a chunk, if it starts several runs. */
function callIn(chunk: Buffer): JoinedCall | undefined {
  const text = chunk.toString();
  const from = text.indexOf(`\r\n${joined.sha}\r\n`);
  if (from < 0) return undefined;
  // Every second line is a length. Keys and values of ojm have no line breaks.
  const [, keyCount = "", ...rest] = text
    .slice(from + 2)
    .split("\r\n")
    .filter((_, i) => i % 2 === 0);
  const entries = rest.slice(1, Number(keyCount));
  const args = rest.slice(Number(keyCount) + 1);
  let [commits, starts, entry] = [0, 0, 0];
  for (let at = 0; /^\d+$/.test(args[at] ?? ""); at += 1 + Number(args[at])) {
    const letters = args[at + 1] ?? "";
    const own = entries.slice(entry, entry + letters.length);
    if (own.some((key, i) => /\}:\["lock "/.test(key) && /[pPtT12]/.test(letters[i] ?? ""))) starts++;
    commits++;
    entry += letters.length;
  }
  return starts > 1 ? { commits, starts } : undefined;
}
