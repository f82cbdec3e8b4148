import type { Cost } from "../../run/contestant.js";
import type { Group, Result } from "../result.js";

/** For tests: a group of runs on Redis with one name, and what each contestant cost in each round. */
export function aGroup(costs: Readonly<Record<string, readonly Cost[]>>, more: Partial<Group> = {}): Group {
  return {
    store: "redis",
    network: "loopback",
    load: { what: "run", width: 1 },
    count: 1_000,
    durability: "nothing",
    measured: Object.entries(costs).map(([contestant, rounds]) => ({ contestant, rounds, allocated: 13 * 1024 })),
    ...more,
  };
}

/** For tests: a result of these groups. */
export function aResult(...groups: readonly Group[]): Result {
  return {
    date: "2026-01-02",
    quick: true,
    machine: { cpu: "a processor", cores: 2, system: "Linux 6", load: [0.1, 1.5] },
    versions: ["Node 20.0.0", "Redis 8.0.0"],
    groups,
    notMeasured: { etcd: "etcd is not installed" },
  };
}
