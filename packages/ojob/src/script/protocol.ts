import type { MessagePort } from "node:worker_threads";
import type { JobProgress } from "../output/live-lines.js";
import type { Level } from "../output/log.js";
import type { Variables } from "../text/environment.js";
import type { Code } from "./compile.js";

export interface ThreadData {
  readonly answers: MessagePort;
  /** Word 0 counts answers. Word 1 is 1 while the script is asked to stop. */
  readonly signal: Int32Array;
}

/** The words of {@link ThreadData.signal}. */
export const ANSWERED = 0;
export const STOPPED = 1;

export interface RunMessage extends Code {
  readonly type: "run";
  readonly args: Record<string, unknown>;
  /** The name of the job, and other facts that its script can read. */
  readonly job: Readonly<Record<string, unknown>>;
  readonly exception?: FailureData;
  /** The code is a module: the function that it exports runs. */
  readonly module?: boolean;
  readonly variables?: Variables;
  /** Whether it is the first script of its job in this thread. */
  readonly fresh: boolean;
  /** How far the clock that scripts see is ahead of that of the machine, in ms. */
  readonly ahead: number;
  /** Globals that other threads set since this thread last ran. */
  readonly globals: Record<string, unknown>;
}

export interface NamedModule extends Code {
  readonly name: string;
}

export interface NamedPackage {
  readonly name: string;
  readonly entry: string;
}

/** What scripts can use beside the standard functions. */
export interface Setup {
  /** Absolute paths of JavaScript files, names of modules, or packages, whose functions become global. */
  readonly loads: readonly (string | NamedPackage)[];
  /** Modules that scripts may require by name. */
  readonly modules: readonly NamedModule[];
  readonly init?: unknown;
  /** The environment variables that the files of {@link loads} see beside those of the process. */
  readonly variables?: Variables;
}

export interface LoadMessage extends Setup {
  readonly type: "load";
}

/** From the main thread to a script thread. */
export type ToThread = RunMessage | LoadMessage | { readonly type: "stop" };

export interface FailureData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  /** How the process of the script ended, if the failure is only that. */
  readonly exit?: readonly [code: number | null, signal: string | null];
  /** The text of its cause: `fetch failed` alone does not say what to fix. */
  readonly cause?: string;
  /** The thrown value, if it is not an error: a script may throw a text or a map. */
  readonly thrown?: { readonly value?: unknown };
}

/**
 * How a script ended. `reusable` means that the script left nothing behind: neither a resource that could
 * fire later, nor a global that only the next script of this thread would see.
 */
export interface DoneMessage {
  readonly type: "done";
  readonly failure?: FailureData;
  /** The reason, if the script called `job.skip(reason)`. */
  readonly skip?: string;
  readonly result?: unknown;
  readonly args: Record<string, unknown>;
  readonly globals: Record<string, unknown>;
  /** The globals that no other script sees, because they are functions or contain one. */
  readonly unshared: readonly string[];
  readonly reusable: boolean;
}

/** A blocking call: the thread waits until an {@link Answer} is there. */
export interface CallMessage {
  readonly type: "call";
  readonly id: number;
  readonly call: string;
  readonly parameters: readonly unknown[];
  readonly globals: Record<string, unknown>;
}

/** From a script thread to the main thread, in the order in which it happened. */
export type FromThread =
  | DoneMessage
  | CallMessage
  | { readonly type: "loaded"; readonly failure?: FailureData }
  | { readonly type: "log"; readonly level: Level; readonly message: string; readonly time: number }
  | ({ readonly type: "progress" } & JobProgress)
  | { readonly type: "globals"; readonly globals: Record<string, unknown> }
  | { readonly type: "print"; readonly text: string; readonly toError: boolean };

export interface Answer {
  /** The number of the call. A call that was given up for a stop is answered too. */
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: FailureData;
  readonly globals: Record<string, unknown>;
}
