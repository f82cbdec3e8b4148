import type { Load } from "../run/contestant.js";
import type { Measured } from "../run/rounds.js";

/** The costs of all contestants of one store for one load. */
export interface Group {
  readonly store: string;
  /** How far the store is: loopback, or a delay each way. */
  readonly network: Network;
  readonly load: Load;
  /** Runs in a round. */
  readonly count: number;
  /** The faults that an acknowledged run survives. */
  readonly durability: string;
  readonly measured: readonly Measured[];
}

export const LOOPBACK = "loopback";
export const SLOW = "0.5 ms each way";
export type Network = typeof LOOPBACK | typeof SLOW;

/** All results of a call of the benchmark, in the form that `--json` writes. */
export interface Result {
  readonly date: string;
  /** The measured commit, if Git knows it. */
  readonly commit?: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** Of Node, the servers and the libraries. */
  readonly versions: readonly string[];
  readonly groups: readonly Group[];
  /** By name of a store or contestant: why it is not in {@link groups}. */
  readonly notMeasured: Readonly<Record<string, string>>;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  /** The average load over a minute, before the first round and after the last one. */
  readonly load: readonly [before: number, after: number];
}
