/** The three calls from which everything is made, through the store's own driver. Values are JSON. */
export interface RawStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  /**
   * Writes if the entry has this version; `null` means absence. Resolves to the new version, or to
   * `undefined` if another write came first.
   */
  compareAndSet(key: string, version: string | null, value: unknown): Promise<string | undefined>;
}

/** Something that makes managed runs, or the usual replacement for one. */
export interface Contestant {
  /** Called before a load with the number of runs that it has at once, if the contestant must know. */
  prepare?(width: number): Promise<void>;
  run(job: string): Promise<unknown>;
  /** The plain calls, if they are measured too. */
  readonly verbs?: RawStore;
  /** How many closed runs it left in the store. */
  records(): Promise<number>;
  close(): Promise<void>;
}

/** Which contestant a child process is to be. */
export interface Spec {
  readonly name: string;
  readonly store: string;
  readonly address: string;
  /** The processes of the server. */
  readonly servers: readonly number[];
  /** As many contestants, each with connections of its own, that take the names in turn. Default: one. */
  readonly clients?: number;
}

/** The repeated operation, and its concurrency. */
export interface Load {
  readonly what: "run" | "get" | "set" | "compareAndSet" | "add" | "work";
  readonly width: number;
  /** The items of each call, for `add` and `work`. Default: one. */
  readonly batch?: number;
}

/** The cost of one run, in µs. */
export interface Cost {
  readonly wall: number;
  /** Processor time of the contestant's process, all threads. */
  readonly client: number;
  /** The part of its main thread, if the system reports it. Most of the rest is garbage collection. */
  readonly main?: number;
  /** Processor time of the server. */
  readonly server: number;
}

/** An order of the benchmark to a child process: one message for each order, and one answer. */
export type Order =
  | { readonly do: "warm-up" | "measure" | "allocation"; readonly load: Load; readonly count: number }
  | { readonly do: "prove" | "close" };

/** The answer: a {@link Cost}, bytes a run, or nothing, or the reason of a failure. */
export type Answer = { readonly value?: Cost | number } | { readonly error: string };
