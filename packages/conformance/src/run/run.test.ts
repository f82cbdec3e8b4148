import type { Backend, Supports } from "@ojm/core/backend";
import { ChannelError } from "@ojm/core/backend";
import { describe, expect, it } from "vitest";
import type { Case } from "../case/case.js";
import type { CaseContext } from "../case/context.js";
import { groups } from "../cases/index.js";
import type { Harness } from "../harness/harness.js";
import { oneClient } from "../harness/one-client.js";
import { simulated } from "../testing/simulated/harness.js";
import { runCase } from "./run-case.js";

const OPTIONS = { profile: "smoke", seed: 1, patience: 500 } as const;

function caseOf(id: string): Case {
  const found = groups.flatMap(({ cases }) => cases).find((it) => it.id === id);
  if (found === undefined) throw new Error(`there is no case ${id}`);
  return found;
}

/** A backend that lacks some things, and refuses them or not. */
function lacking(change: Partial<Supports>, refuses: boolean): Harness {
  const right = simulated("lacking");
  return {
    ...right,
    async open() {
      const store = await right.open();
      return { ...store, client: async () => lesser(await store.client(), change, refuses) };
    },
  };
}

function lesser(backend: Backend, change: Partial<Supports>, refuses: boolean): Backend {
  const refusal = new ChannelError("NOT_SUPPORTED", "cannot do that");
  return {
    supports: Object.freeze({ ...backend.supports, ...change }),
    read: (keys) => backend.read(keys),
    scan: (request) => backend.scan(request),
    async commit(commit) {
      if (refuses && change.ttl === false && commit.writes.some(({ ttl }) => ttl !== undefined)) throw refusal;
      return backend.commit(commit);
    },
    async watch(range, sink) {
      if (refuses && change.watch === false) throw refusal;
      return backend.watch(range, sink);
    },
    close: () => backend.close(),
  };
}

const simple: Case = { id: "XXX-001", law: "Nothing.", run: async () => {} };

describe("a case that needs something that the backend does not declare", () => {
  it.each([
    ["TTL-001", { ttl: false }],
    ["WCH-003", { watch: false }],
    ["CAS-030", { commitAcrossChannels: false }],
    ["TXN-001", { transactions: false }],
  ] as const)("the case %s counts as refused when the backend refuses what it does not declare", async (id, change) => {
    expect(await runCase(lacking(change, true), caseOf(id), OPTIONS)).toMatchObject({ outcome: "refused" });
  });

  it.each([
    ["TTL-001", { ttl: false }],
    ["WCH-003", { watch: false }],
  ] as const)("the case %s fails when the backend does what it does not declare", async (id, change) => {
    expect(await runCase(lacking(change, false), caseOf(id), OPTIONS)).toMatchObject({ outcome: "fail" });
  });
});

describe("running a case", () => {
  it("a case fails when it leaves an exception or a rejection unhandled", async () => {
    const rejection = { ...simple, run: async () => void Promise.reject(new Error("stray")) };
    const exception = {
      ...simple,
      run: async () => {
        setImmediate(() => {
          throw new Error("stray");
        });
        await new Promise((resolve) => setTimeout(resolve, 10));
      },
    };
    for (const it of [rejection, exception]) {
      const result = await runCase(simulated("stray"), it, OPTIONS);
      expect(result).toMatchObject({ outcome: "fail", reason: "an error was left unhandled: stray" });
    }
  });

  it("a case fails when it does not end within its time limit", async () => {
    const endless = { ...simple, cap: 50, run: () => new Promise<void>(() => {}) };
    const result = await runCase(simulated("endless"), endless, OPTIONS);
    expect(result).toMatchObject({ outcome: "fail", reason: "did not end within 50 ms" });
  });

  it("a case fails when the harness cannot close its store, and the run continues", async () => {
    const right = simulated("open for ever");
    const sticky: Harness = {
      name: "open for ever",
      open: async () => ({ ...(await right.open()), close: () => Promise.reject(new Error("still busy")) }),
    };
    const result = await runCase(sticky, simple, OPTIONS);
    expect(result).toMatchObject({ outcome: "fail", reason: "the harness could not close its store: still busy" });
  });

  it("a case fails when the harness opens no store, and when a client cannot be closed", async () => {
    const broken: Harness = { name: "broken", open: () => Promise.reject(new Error("no server")) };
    const result = await runCase(broken, simple, OPTIONS);
    expect(result).toMatchObject({ outcome: "fail", reason: "the harness opened no store: no server" });
    const right = simulated("unclosable");
    const unclosable: Harness = {
      name: "unclosable",
      async open() {
        const store = await right.open();
        const close = (): Promise<void> => Promise.reject(new Error("busy"));
        return { ...store, client: async () => ({ ...lesser(await store.client(), {}, true), close }) };
      },
    };
    expect(await runCase(unclosable, simple, OPTIONS)).toMatchObject({
      outcome: "fail",
      reason: "cleaning up failed: busy",
    });
  });

  it("a case gets the size for the profile, and fails when it does not declare that it scales", async () => {
    const sizes: number[] = [];
    const run = async (t: CaseContext): Promise<void> => void sizes.push(t.scale(1, 2, 3));
    for (const profile of ["smoke", "full", "soak"] as const) {
      const options = { ...OPTIONS, profile };
      expect(await runCase(simulated("sized"), { ...simple, scales: true, run }, options)).toMatchObject({
        outcome: "pass",
      });
      expect(await runCase(simulated("sized"), { ...simple, run }, options)).toMatchObject({
        outcome: "fail",
        reason: "a case that calls scale() must declare: scales: true",
      });
    }
    expect(sizes).toEqual([1, 2, 3]);
  });

  it("a case makes the same random choices from the same seed", async () => {
    const chosen: number[] = [];
    const it: Case = { ...simple, run: async (t) => void chosen.push(t.random.int(1e9), t.random.int(1e9)) };
    for (const seed of [1, 1, 2]) await runCase(simulated("seeded"), it, { ...OPTIONS, seed });
    expect(chosen.slice(0, 2)).toEqual(chosen.slice(2, 4));
    expect(chosen.slice(0, 2)).not.toEqual(chosen.slice(4, 6));
  });
});

describe("oneClient", () => {
  it("oneClient opens one backend for all clients, closes it with the last client, and opens it again for the next", async () => {
    const log: string[] = [];
    const store = await simulated("shared").open();
    const client = oneClient(async () => {
      log.push("open");
      return { ...lesser(await store.client(), {}, true), close: async () => void log.push("close") };
    });
    const [one, two] = await Promise.all([client(), client()]);
    await one?.close();
    expect(log).toEqual(["open"]);
    await two?.close();
    expect(log).toEqual(["open", "close"]);
    await (await client()).close();
    expect(log).toEqual(["open", "close", "open", "close"]);
  });
});
