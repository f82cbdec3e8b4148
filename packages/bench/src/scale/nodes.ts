import type { SessionsRow } from "./sessions.js";

/** The load of this many nodes on a server, calculated from measurements with fewer. */
export interface NodesRow {
  readonly store: string;
  readonly nodes: number;
  /** Runs a second of all nodes. */
  readonly runs: number;
  /** The server's processor time, in cores. */
  readonly server: number;
}

/** The limit of a store by its server's processor alone. */
export interface NodesEnd {
  readonly store: string;
  /** In µs: the server time of a run, and that of a session in a second. */
  readonly perRun: number;
  readonly perSession: number;
  /** How many nodes fill one core. */
  readonly nodes: number;
}

const NODES = [10, 100, 1_000, 10_000];

/** Each node holds a lock all the time, and makes one run a minute. */
const RUNS_OF_NODE = 1 / 60;

/** Calculates from the measured sessions, and from the server time of a run, in µs. */
export function calculateNodes(
  sessions: readonly SessionsRow[],
  perRun: ReadonlyMap<string, number>,
): { readonly rows: NodesRow[]; readonly ends: NodesEnd[] } {
  const rows: NodesRow[] = [];
  const ends: NodesEnd[] = [];
  for (const [store, run] of perRun) {
    const measured = sessions.filter((row) => row.store === store).sort((a, b) => a.sessions - b.sessions);
    const [none, most] = [measured[0], measured.at(-1)];
    if (none === undefined || most === undefined || most.sessions === 0 || none.sessions !== 0) continue;
    const perSession = (most.server - none.server) / most.sessions;
    const perNode = perSession + (RUNS_OF_NODE * run) / 1e6;
    for (const nodes of NODES) {
      rows.push({ store, nodes, runs: nodes * RUNS_OF_NODE, server: none.server + nodes * perNode });
    }
    ends.push({ store, perRun: run, perSession: perSession * 1e6, nodes: Math.floor((1 - none.server) / perNode) });
  }
  return { rows, ends };
}
