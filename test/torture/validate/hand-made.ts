import type { Injected } from "../faults/fault.js";
import type { Event, StockRecord } from "../scene/events.js";
import type { Member } from "../scene/member.js";
import type { Excuse, Scene, Trouble } from "../scene/scene.js";
import { runsOf } from "./run-of.js";
import type { Evidence } from "./verdict.js";

/* Journals made by hand, for the tests of the laws. */

type Made = Partial<Member> & { readonly events: Event[] };

/** A worker with these events in its journal. */
export function memberWith(events: readonly Event[], more: Partial<Member> = {}): Member {
  const made: Made = { index: 0, ...more, events: [...events].sort((a, b) => a.t - b.t) };
  return { ...made, all: (e: string) => made.events.filter((event) => event.e === e) } as unknown as Member;
}

/** The times and the outcome of a run. */
export interface RunTimes {
  readonly name?: string;
  readonly since: number;
  readonly enter?: number;
  readonly exit?: number;
  readonly signal?: readonly [t: number, code: string, why?: string];
  readonly settled?: readonly [t: number, outcome: string];
  readonly timeout?: number;
  readonly session?: string;
}

/** The events that a worker writes about a run with this fence. */
export function runEvents(fence: string, times: RunTimes): Event[] {
  const { name = "a", since, enter = since + 1, timeout = 3_600_000, session = "s" } = times;
  const id = `run ${fence}`;
  return [
    { e: "asked", id, name, wait: 0, wall: 0, t: since - 1 },
    { e: "renewed", session, sent: since - 1, t: since },
    { e: "granted", name, fence, session, sent: since, timeout, t: enter - 0.5 },
    { e: "enter", id, name, fence, held: false, timeout, t: enter },
    ...signalEvents(id, times.signal),
    ...(times.exit === undefined ? [] : [{ e: "exit", id, t: times.exit } as const]),
    ...(times.settled === undefined
      ? []
      : [{ e: "settled", id, t: times.settled[0], outcome: times.settled[1] } as const]),
  ];
}

function signalEvents(id: string, signal: RunTimes["signal"]): Event[] {
  if (signal === undefined) return [];
  const [t, code, why] = signal;
  return [{ e: "signal", id, t, code, ...(why !== undefined && { why }) }];
}

interface CellFacts {
  readonly shared?: boolean;
  readonly apart?: boolean;
  readonly ttl?: number;
  readonly excuses?: readonly Excuse[];
  readonly troubles?: readonly Trouble[];
  readonly outgrowsLoss?: boolean;
  readonly records?: readonly (Omit<StockRecord, "startTime"> & Partial<StockRecord>)[];
  readonly injected?: Injected;
  readonly dataLost?: Scene["dataLost"];
}

/** The evidence of a cell with these workers. */
export function evidenceOf(members: readonly Member[], more: CellFacts = {}): Evidence {
  const { shared = true, apart = false, outgrowsLoss = true, ttl = 800, excuses = [], troubles = [] } = more;
  const { records, injected, dataLost } = more;
  const kind = { shared, apart, outgrowsLoss };
  const scene = { kind, ttl, excuses, troubles, members, names: ["a", "b"], lags: { lags: [] }, dataLost };
  return {
    scene: scene as unknown as Scene,
    runs: runsOf(members),
    injected,
    stock: records && { left: [], unreadable: [], records: records.map((record) => ({ startTime: 0, ...record })) },
    closings: new Map(),
  };
}
