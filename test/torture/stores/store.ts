import { execFileSync } from "node:child_process";
import type { TcpProxy } from "@ojm/conformance";
import type { PostgresServer } from "@ojm/testing/postgres";
import type { Cluster } from "../cluster/nodes/cluster.js";
import type { Heal } from "../faults/heal.js";
import type { LostCall } from "./joined-calls.js";
import type { ServerClock } from "./server-clock.js";

/**
 * The deadline of the calls of the workers, in ms. A process that is suspended for a large part of it sees
 * the call time out, not its answer.
 */
export const DEADLINE = 1_000;

/** A store that is made for one cell, and what can be done to it. A missing method cannot be done. */
export interface TortureStore {
  /** The args of a channel in the worker of that number, over its own way to the store. */
  args(worker: number): Readonly<Record<string, unknown>>;
  /** The args of the harness, over a way that no fault touches. */
  readonly directArgs: Readonly<Record<string, unknown>>;
  /** The store of the records of runs, if it is not that of the locks. */
  readonly records?: { readonly type: string; readonly args: Readonly<Record<string, unknown>> };
  /** The network between a worker and the store. */
  network?(worker: number): TcpProxy;
  /**
   * Drops the answer of the next call by which a worker starts several runs, and all later answers to that
   * worker, until it is healed.
   */
  loseJoined?(worker: number): LostCall;
  /** Makes the store answer nothing until it is healed. */
  freeze?(): Promise<Heal>;
  /** The same for the store of the records alone, if it is separate. */
  freezeRecords?(): Promise<Heal>;
  /**
   * Sets the wall clock of its server `ahead` seconds ahead. Resolves once the server itself reports that
   * time.
   */
  setWallClock?(ahead: number): Promise<void>;
  /** Kills the server without a warning and starts it again. */
  restart?(keep: { readonly data: boolean }): Promise<void>;
  /** Fills the disk under the store until it is healed. */
  fillDisk?(): Promise<Heal>;
  /** The PostgreSQL server, for the faults that only it has. */
  readonly postgres?: PostgresServer;
  /** Its nodes, if it has several. */
  readonly cluster?: Cluster;
  /** The command prefix that starts a worker on a host of its own. */
  runOn?(worker: number): readonly string[];
  stop(): Promise<void>;
}

/** What a cell needs of its store. */
export interface StoreWishes {
  readonly workers: number;
  /** A folder for its files. */
  readonly folder: string;
  /** Whether the folder is on a small disk of its own. */
  readonly smallDisk: boolean;
  /** Whether the links of the workers must be able to be slow. */
  readonly slowNetwork: boolean;
  /** The wall clock of its server, if the fault sets it. */
  readonly clock: ServerClock | undefined;
}

/** Facts about a store of several nodes. Times in ms. */
export interface ClusterFacts {
  /** After this silence of a node, the other nodes consider it dead. */
  readonly silence: number;
  /** Once another node leads, the calls of all clients reach it within this time. */
  readonly findsAgain: number;
  /**
   * How long a resumed node may still believe that it leads after another one came to lead, and clients may
   * believe it.
   */
  readonly staleFor: number;
  /**
   * Whether a node acknowledges writes that no other node has. A resumed node does so until it learns that it
   * no longer leads.
   */
  readonly acknowledgesAlone: boolean;
}

/** A kind of store that cells run on. */
export interface StoreKind {
  /** Its name in the matrix. */
  readonly name: string;
  /** The type of its channels. If the records are apart, the type of the locks' channel. */
  readonly type: "simple" | "level" | "sqlite" | "redis" | "etcd" | "postgres";
  /** Whether the records of runs are in another store than the locks. */
  readonly apart: boolean;
  /** Whether it has a server, with a network on the way to it. */
  readonly networked: boolean;
  /**
   * Set for a store of several nodes. Its nodes and the workers are on hosts of a private network. Such a
   * store has faults of its own.
   */
  readonly clustered?: ClusterFacts;
  /** Whether the wall clock of that server ends sessions. */
  readonly byWallClock: boolean;
  /** Whether several processes can open it. */
  readonly shared: boolean;
  /** Whether acknowledged data outlives its process. With `simple`, nothing is left to inspect. */
  readonly lasting: boolean;
  /** The size of its disk, in MB, if the fault needs a small one. Default: 24. */
  readonly smallDisk?: number;
  /** Whether the base version of mixed cells lacks it. */
  readonly isNew?: true;
  /** Whether its versions keep increasing after it lost its data. */
  readonly outgrowsLoss: boolean;
  /** Why this machine cannot run it; `undefined` if it can. */
  readonly missing: string | undefined;
  version(): string;
  start(wishes: StoreWishes): Promise<TortureStore>;
}

/** The first line that a program prints about its version. */
export function versionOf(program: string, args: readonly string[] = ["--version"]): string {
  return execFileSync(program, args, { encoding: "utf8" }).split("\n")[0] ?? "";
}
