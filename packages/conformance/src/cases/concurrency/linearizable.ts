import type { Backend } from "@ojm/core/backend";
import type { Case } from "../../case/case.js";
import { type CaseContext, sleep } from "../../case/context.js";
import { Random } from "../../case/random.js";
import { assertLinearizable } from "../../linearizability/assert.js";
import { Recorder } from "../../linearizability/recorder.js";
import { settle } from "../../support/assert.js";
import { rawKey, readOne } from "../../support/raw.js";
import { wander } from "./workload.js";

/** Concurrent calls have the same result as some order of the same calls, one after the other. */
export const linearizable: readonly Case[] = [
  {
    id: "LIN-001",
    law: "The calls of several clients on one key, and their answers, are as if made one after the other.",
    scales: true,
    async run(t) {
      for (let round = 0; round < t.scale(4, 25, 400); round++) await trial(t, await t.clients(3), 1, 30);
    },
  },
  {
    id: "LIN-002",
    law: "The same holds for commits and pages of several keys.",
    scales: true,
    async run(t) {
      for (let round = 0; round < t.scale(4, 25, 400); round++) await trial(t, await t.clients(4), 3, 20);
    },
  },
  {
    id: "LIN-003",
    law: "The same holds for calls that one client makes at the same time.",
    scales: true,
    async run(t) {
      const client = await t.main();
      for (let round = 0; round < t.scale(4, 25, 400); round++) await trial(t, [client, client, client, client], 2, 20);
    },
  },
  {
    id: "LIN-004",
    law: "The same holds when answers are lost: what was not answered was applied once, or not at all.",
    scales: true,
    needs: ["dropReplies"],
    cap: 180_000,
    run: (t) => withFault(t, "dropReplies"),
  },
  {
    id: "LIN-005",
    law: "The same holds when the connection is lost for a while.",
    scales: true,
    needs: ["partition"],
    cap: 180_000,
    run: (t) => withFault(t, "partition"),
  },
  {
    id: "LIN-006",
    law: "The same holds when the store hangs for a while.",
    scales: true,
    needs: ["pause"],
    cap: 180_000,
    run: (t) => withFault(t, "pause"),
  },
  {
    id: "LIN-007",
    law: "The same holds over a restart of a store that keeps what it acknowledged.",
    scales: true,
    needs: ["restart"],
    losesData: true,
    cap: 180_000,
    run: (t) => (t.supports.durability === "none" ? versionsOnly(t) : withFault(t, "restart")),
  },
  {
    id: "LIN-008",
    law: "The same holds for clients in different processes.",
    scales: true,
    needs: ["remote", "severalProcesses"],
    cap: 180_000,
    async run(t) {
      const clients = [await t.main(), await t.remote(), await t.remote()];
      for (let round = 0; round < t.scale(2, 10, 200); round++) await trial(t, clients, 2, 25);
    },
  },
];

/**
 * Each of `clients` makes random calls while `disturb` runs. Throws unless the history of the calls is
 * linearizable.
 */
async function trial(
  t: CaseContext,
  clients: readonly Backend[],
  keyCount: number,
  steps: number,
  disturb: () => Promise<void> = async () => {},
): Promise<void> {
  const name = t.freshName();
  const keys = Array.from({ length: keyCount }, (_, n) => rawKey(name, `k${n}`));
  const recorder = new Recorder();
  const work = clients.map((backend, number) => {
    const random = new Random(t.random.int(2 ** 31));
    return wander({ number, backend, recorder, random, keys }, steps);
  });
  await Promise.all([...work, disturb()]);
  for (const key of keys) {
    await t.until(
      "the store answers again",
      async () => "value" in (await settle(recorder.read(clients.length, await t.main(), key))),
      t.recovery,
    );
  }
  assertLinearizable(recorder.history);
}

async function withFault(t: CaseContext, fault: "dropReplies" | "partition" | "pause" | "restart"): Promise<void> {
  for (let round = 0; round < t.scale(1, 4, 40); round++) {
    await trial(t, await t.clients(3), 2, 25, async () => {
      await sleep(t.random.int(8));
      const heal = await t.store.faults?.[fault]?.();
      await sleep(20 + t.random.int(80));
      await heal?.();
    });
  }
}

/** A store may lose everything in a restart, but it never gives out a version again. */
async function versionsOnly(t: CaseContext): Promise<void> {
  const client = await t.main();
  const key = rawKey(t.name, "k");
  const recorder = new Recorder();
  await recorder.commit(0, client, [], [key]);
  await t.store.faults?.restart?.();
  await t.until("the store is back", async () => "value" in (await settle(readOne(client, key))), t.recovery);
  await recorder.commit(0, client, [], [key]);
  assertLinearizable(recorder.history);
}
