import { execFileSync } from "node:child_process";
import type { TcpProxy } from "@ojm/conformance";

/** Puts an end to a fault. */
export type Heal = () => Promise<void>;

/** A store of a cell, made for it alone, and what can be done to it. What is missing cannot be done. */
export interface TortureStore {
  /** The args of a channel in the worker of that number, by its own way to the store. */
  args(worker: number): Readonly<Record<string, unknown>>;
  /** The args of the harness, by a way on which nothing happens. */
  readonly directArgs: Readonly<Record<string, unknown>>;
  /** The network between a worker and the store. */
  network?(worker: number): TcpProxy;
  /** It answers nothing until it is healed. */
  freeze?(): Promise<Heal>;
  /** Killed without a warning and started again. */
  restart?(keep: { readonly data: boolean }): Promise<void>;
  /** The disk under it is full until it is healed. */
  fillDisk?(): Promise<Heal>;
  stop(): Promise<void>;
}

/** What a cell wants of its store. */
export interface StoreWishes {
  readonly workers: number;
  /** A folder for its files. */
  readonly folder: string;
  /** The folder is on a small disk of its own. */
  readonly smallDisk: boolean;
}

/** A kind of store that cells run on. */
export interface StoreKind {
  /** The type of its channels. */
  readonly type: "simple" | "level" | "sqlite" | "redis" | "etcd";
  /** Whether several processes can open it. */
  readonly shared: boolean;
  /** Whether what was acknowledged outlives its process; with `simple` there is nothing left to look at. */
  readonly lasting: boolean;
  /** Whether its versions go on increasing when it has lost its data. */
  readonly outgrowsLoss: boolean;
  /** Why it cannot be had here; `undefined` if it can. */
  readonly missing: string | undefined;
  version(): string;
  start(wishes: StoreWishes): Promise<TortureStore>;
}

/** The first line that a program prints about its version. */
export function versionOf(program: string, args: readonly string[] = ["--version"]): string {
  return execFileSync(program, args, { encoding: "utf8" }).split("\n")[0] ?? "";
}
