import { bursts, type Heal, type RequestCounter, type TcpProxy } from "@ojm/conformance";
import { isLock } from "../../../packages/core/src/testing/simulation/entry-kinds.js";

/** A call of several commits. */
export interface JoinedCall {
  /** For Redis: the hash of the script. */
  readonly script?: string;
  readonly commits: number;
  /** The tokens of the locks that it takes. */
  readonly tokens: readonly string[];
}

/** Sees the calls of several commits in what a client sends to its store. */
export class JoinedCalls {
  readonly #callsIn: (chunk: Buffer) => JoinedCall[];
  readonly #isLoaded: (script: string) => Promise<boolean>;
  readonly #loaded: Set<string> = new Set();
  #next: ((call: JoinedCall) => void) | undefined;

  /**
   * `callsIn`: the calls that lie wholly in a chunk. `isLoaded`: whether the server has the script of this
   * hash.
   */
  constructor(callsIn: (chunk: Buffer) => JoinedCall[], isLoaded: (script: string) => Promise<boolean>) {
    this.#callsIn = callsIn;
    this.#isLoaded = isLoaded;
  }

  /** For a proxy, which asks for a counter for each connection. */
  readonly counter = (): RequestCounter => {
    const counter = bursts();
    return {
      sent: (chunk) => {
        if (this.#next !== undefined) for (const call of this.#callsIn(chunk)) this.#see(call);
        return counter.sent(chunk);
      },
      answered: () => counter.answered(),
    };
  };

  /** Calls `listener` with the next call that starts several runs, before the server has that call. */
  onNext(listener: (call: JoinedCall) => void): void {
    this.#next = listener;
  }

  #see(call: JoinedCall): void {
    const { script } = call;
    // The server refuses a script that it does not have yet. With that answer lost, nothing is applied.
    if (script !== undefined && !this.#loaded.has(script)) void this.#ask(script);
    else if (call.tokens.length > 1) {
      this.#next?.(call);
      this.#next = undefined;
    }
  }

  async #ask(script: string): Promise<void> {
    if (await this.#isLoaded(script).catch(() => false)) this.#loaded.add(script);
  }
}

/** Loses the answer of the next call that starts several runs, and all later answers, until it is healed. */
export class LostCall {
  #call: JoinedCall | undefined;
  #heal: Promise<Heal> | undefined;

  constructor(way: TcpProxy, calls: JoinedCalls) {
    calls.onNext((call) => {
      this.#call = call;
      this.#heal = way.dropReplies();
    });
  }

  /** The call; `undefined` before the client has sent it. */
  get call(): JoinedCall | undefined {
    return this.#call;
  }

  async heal(): Promise<void> {
    await (await this.#heal)?.();
  }
}

/** The calls to Redis. See joinedScript for their arguments. */
export function redisCallsIn(chunk: Buffer): JoinedCall[] {
  const text = chunk.toString();
  const calls: JoinedCall[] = [];
  for (const found of text.matchAll(/\*(\d+)\r\n\$7\r\nevalsha\r\n/gi)) {
    // Every second line is a length. Keys and values of ojm have no line breaks.
    const lines = text.slice(found.index + found[0].length).split("\r\n");
    const words = lines.filter((_, i) => i % 2 === 1).slice(0, Number(found[1]) - 1);
    const [script = "", keyCount = "", ...rest] = words;
    const keys = rest.slice(1, Number(keyCount));
    const [kind = "", ...args] = rest.slice(Number(keyCount));
    // The script of one commit has letters there. A call that is cut off continues in the next chunk.
    const whole = lines.length > 2 * (Number(found[1]) - 1);
    if (whole && (kind === "puts" || kind === "") && /^\d+$/.test(args[0] ?? "")) {
      calls.push({ script, ...partsOf(keys, args) });
    }
  }
  return calls;
}

function partsOf(keys: readonly string[], args: readonly string[]): Pick<JoinedCall, "commits" | "tokens"> {
  const tokens: string[] = [];
  let [commits, key] = [0, 0];
  for (let at = 0; at < args.length; at += 1 + Number(args[at])) {
    const own = args.slice(at + 1, at + 1 + Number(args[at]));
    const letters = own[0] ?? "";
    const token = tokenIn(keys.slice(key, key + letters.length), letters, own);
    if (token !== undefined) tokens.push(token);
    commits++;
    key += letters.length;
  }
  return { commits, tokens };
}

/** How the name of the statement that has the commits begins, behind the empty name of its portal. */
const STATEMENT = Buffer.from("\0ojm call ");
const BIND = "B".charCodeAt(0);

/** The calls to PostgreSQL: what binds the parameters of `commit`. See packages/postgres/src/sql.ts. */
export function postgresCallsIn(chunk: Buffer): JoinedCall[] {
  const calls: JoinedCall[] = [];
  for (let at = chunk.indexOf(STATEMENT); at >= 0; at = chunk.indexOf(STATEMENT, at + 1)) {
    const begin = at - 5;
    // A call that is cut off continues in the next chunk.
    if (chunk[begin] !== BIND || begin + 1 + chunk.readInt32BE(begin + 1) > chunk.length) continue;
    const [, , , commits = "", , keys = "", , , contents = ""] = boundIn(chunk, chunk.indexOf(0, at + 1) + 1);
    const values = elementsOf(contents);
    const tokens = elementsOf(keys).flatMap((key, i) => {
      const value = values[i];
      return isLock(key ?? "") && value !== undefined ? [JSON.parse(value).token as string] : [];
    });
    if (Number(commits) > 1) calls.push({ commits: Number(commits), tokens });
  }
  return calls;
}

/** The parameters, all as text, that begin at `from` with their formats. */
function boundIn(chunk: Buffer, from: number): string[] {
  let at = from + 2 + 2 * chunk.readInt16BE(from);
  return Array.from({ length: chunk.readInt16BE(at) }, (_, i) => {
    at += i === 0 ? 2 : 0;
    const length = Math.max(0, chunk.readInt32BE(at));
    at += 4 + length;
    return chunk.toString("utf8", at - length, at);
  });
}

/** The elements of an array as the driver writes it: each is quoted, or `NULL`. */
function elementsOf(array: string): (string | undefined)[] {
  return [...array.matchAll(/"((?:[^"\\]|\\.)*)"|NULL/gs)].map(([, text]) => text?.replace(/\\(.)/gs, "$1"));
}

/** The token of the lock that a commit to Redis takes. */
function tokenIn(keys: readonly string[], letters: string, args: readonly string[]): string | undefined {
  let at = 1 + letters.replace(/[^NPTD]/g, "").length;
  for (const [i, letter] of [...letters].entries()) {
    if (!/[pPtT12]/.test(letter)) continue;
    if (/[tT2]/.test(letter)) at++;
    // Not a queue, and not the audit record of a forced unlock, which quotes the lock.
    if (isLock((keys[i] ?? "").replace(/^ojm:\{(.*?)\}:/, "$1 "))) return JSON.parse(args[at] ?? "").token;
    at++;
  }
  return undefined;
}
