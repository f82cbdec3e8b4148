import { execFileSync } from "node:child_process";
import type { TcpProxy } from "@ojm/conformance";
import type { Cluster } from "../cluster/nodes/cluster.js";
import type { Heal } from "../faults/heal.js";
import type { ServerClock } from "./server-clock.js";

/** A store of a cell, made for it alone, and what can be done to it. What is missing cannot be done. */
export interface TortureStore {
  /** The args of a channel in the worker of that number, by its own way to the store. */
  args(worker: number): Readonly<Record<string, unknown>>;
  /** The args of the harness, by a way on which nothing happens. */
  readonly directArgs: Readonly<Record<string, unknown>>;
  /** Where the records of runs are, if not where the locks are. */
  readonly records?: { readonly type: string; readonly args: Readonly<Record<string, unknown>> };
  /** The network between a worker and the store. */
  network?(worker: number): TcpProxy;
  /** It answers nothing until it is healed. */
  freeze?(): Promise<Heal>;
  /** The same of the records alone, where these are apart. */
  freezeRecords?(): Promise<Heal>;
  /** The wall clock of its server is ahead by so many seconds. Resolves once the server says so itself. */
  setWallClock?(ahead: number): Promise<void>;
  /** Killed without a warning and started again. */
  restart?(keep: { readonly data: boolean }): Promise<void>;
  /** The disk under it is full until it is healed. */
  fillDisk?(): Promise<Heal>;
  /** Its nodes, where it has several. */
  readonly cluster?: Cluster;
  /** What a worker must be started with to run on a host of its own. */
  runOn?(worker: number): readonly string[];
  stop(): Promise<void>;
}

/** What a cell wants of its store. */
export interface StoreWishes {
  readonly workers: number;
  /** A folder for its files. */
  readonly folder: string;
  /** The folder is on a small disk of its own. */
  readonly smallDisk: boolean;
  /** Whether the links of the workers can be made slow. */
  readonly slowNetwork: boolean;
  /** The wall clock of its server, if that is to be set. */
  readonly clock: ServerClock | undefined;
}

/** What is known of a store of several nodes. Times in ms. */
export interface ClusterFacts {
  /** A node that is silent for so long is taken for dead by the others. */
  readonly silence: number;
  /** Once another node leads, the calls of all clients come to it within this time. */
  readonly findsAnew: number;
  /**
   * A node that stood still while another one came to lead may take itself for the leader for so long, and
   * clients may take its word for it.
   */
  readonly staleFor: number;
  /**
   * Whether a node acknowledges on its own what no other node has: one that stood still does so until it
   * hears that it leads no more.
   */
  readonly acknowledgesAlone: boolean;
}

/** A kind of store that cells run on. */
export interface StoreKind {
  /** What it is called in the matrix. */
  readonly name: string;
  /** The type of its channels; where the records are apart, of those of the locks. */
  readonly type: "simple" | "level" | "sqlite" | "redis" | "etcd";
  /** Whether the records of runs are in another store than the locks. */
  readonly apart: boolean;
  /** Whether there is a server, and a network on the way to it. */
  readonly networked: boolean;
  /**
   * Of a store of several nodes, each on a host of its own, as is each worker: such a store has faults of its
   * own.
   */
  readonly clustered?: ClusterFacts;
  /** Whether the wall clock of that server ends sessions. */
  readonly byWallClock: boolean;
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
