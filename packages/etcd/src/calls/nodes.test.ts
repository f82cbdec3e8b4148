import { describe, expect, it } from "vitest";
import { GRPC, RpcError } from "../errors.js";
import type { CallLimits, EtcdNode } from "./client.js";
import type { RangeResponse } from "./messages.js";
import { Nodes } from "./nodes.js";

/** A node that answers each range, or refuses each connection, and counts the calls. */
class CountingNode implements Pick<EtcdNode, "name" | "several" | "range"> {
  readonly name: string;
  readonly several = false;
  readonly #works: boolean;
  calls = 0;

  constructor(name: string, works: boolean) {
    this.name = name;
    this.#works = works;
  }

  async range(): Promise<RangeResponse> {
    this.calls++;
    if (!this.#works) throw new RpcError(GRPC.unavailable, "no connection", false);
    return answerOf(1);
  }
}

function answerOf(term: number): RangeResponse {
  return { header: { revision: "1", raft_term: String(term) }, kvs: [], count: "0", more: false };
}

/** Three nodes. The first write gets no answer until `wake`; if `frozen`, its node answers no read either. */
class Cluster {
  readonly nodes: Nodes;
  /** The names of the nodes that got a write. */
  readonly written: string[] = [];
  term = 1;
  frozen = false;
  #silent = false;
  #answer: () => void = () => {};

  constructor(deadline: number) {
    const all = ["a", "b", "c"].map((name) => ({
      name,
      several: false,
      range: (_: unknown, limits: CallLimits) => this.#answered(limits, this.frozen && name === this.written[0]),
      txn: (_: unknown, limits: CallLimits) => {
        this.written.push(name);
        return this.#answered(limits, this.#silent && name === this.written[0]);
      },
    }));
    this.nodes = new Nodes(all as unknown as EtcdNode[], deadline, Buffer.from("probe"));
  }

  async #answered({ timeout, signal }: CallLimits, isSilent: boolean): Promise<RangeResponse> {
    if (!isSilent) return answerOf(this.term);
    return new Promise((resolve, reject) => {
      const fail = (code: number): void => reject(new RpcError(code, "no answer", true));
      const timer = setTimeout(() => fail(GRPC.deadlineExceeded), timeout);
      signal?.addEventListener("abort", () => fail(GRPC.cancelled));
      const answer = this.#answer;
      this.#answer = () => {
        answer();
        clearTimeout(timer);
        resolve(answerOf(this.term));
      };
    });
  }

  read(): Promise<unknown> {
    return this.nodes.call("read", (node, limits) => node.range({ key: Buffer.from("k") }, limits));
  }

  /** Makes a write that gets no answer for now. */
  async silentWrite(): Promise<{ readonly answer: Promise<unknown>; readonly took: () => number }> {
    await this.read();
    this.#silent = true;
    const began = performance.now();
    let took = 0;
    const answer = this.nodes
      .call("write", (node, limits) => node.txn({ compare: [], success: [], failure: [] }, limits))
      .finally(() => {
        took = performance.now() - began;
      });
    answer.catch(() => {});
    return { answer, took: () => took };
  }

  /** The node answers everything that it got. */
  wake(): void {
    this.frozen = false;
    this.#silent = false;
    this.#answer();
  }
}

it("many calls that fail together at one node all go to the next one, and skip no healthy node", async () => {
  const away = new CountingNode("away", false);
  const healthy = new CountingNode("healthy", true);
  const last = new CountingNode("last", false);
  const all = [away, healthy, last] as unknown as EtcdNode[];
  // It begins at a random node.
  let nodes: Nodes;
  do nodes = new Nodes(all, 10_000, Buffer.from("probe"));
  while (nodes.current.name !== "away");
  await Promise.all(
    Array.from({ length: 5 }, () =>
      nodes.call("read", (node, limits) => node.range({ key: Buffer.from("k") }, limits)),
    ),
  );
  expect(away.calls).toBe(5);
  expect(last.calls).toBe(0);
  expect(nodes.current.name).toBe("healthy");
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.concurrent("a write whose node is silent, while the other nodes answer", () => {
  it("gets its answer when the node wakes, seconds later, and is sent once", async () => {
    const cluster = new Cluster(20_000);
    const { answer } = await cluster.silentWrite();
    cluster.frozen = true;
    await sleep(4_000);
    cluster.wake();
    await expect(answer).resolves.toEqual(answerOf(1));
    expect(cluster.written).toHaveLength(1);
  });

  it("sends other calls to another node after a second", async () => {
    const cluster = new Cluster(20_000);
    const { answer } = await cluster.silentWrite();
    cluster.frozen = true;
    const [silent] = cluster.written;
    await expect.poll(() => cluster.nodes.current.name).not.toBe(silent);
    await cluster.read();
    const others = cluster.nodes.call("write", (node, limits) =>
      node.txn({ compare: [], success: [], failure: [] }, limits),
    );
    await expect(others).resolves.toEqual(answerOf(1));
    expect(cluster.written).toEqual([silent, cluster.nodes.current.name]);
    cluster.wake();
    await answer;
  });

  it("has an unknown outcome at its deadline", async () => {
    const cluster = new Cluster(3_000);
    const { answer, took } = await cluster.silentWrite();
    cluster.frozen = true;
    await expect(answer).rejects.toMatchObject({ code: "TIMEOUT", retryable: true, outcome: "unknown" });
    expect(took()).toBeGreaterThan(2_900);
  });

  it("is given up sooner if its node has a new leader: the old one has most likely lost the write", async () => {
    const cluster = new Cluster(20_000);
    const { answer, took } = await cluster.silentWrite();
    cluster.term = 2;
    await expect(answer).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true, outcome: "unknown" });
    expect(took()).toBeLessThan(15_000);
  });

  it("is not given up while its node answers and has the same leader: its disk is slow", async () => {
    const cluster = new Cluster(20_000);
    const { answer } = await cluster.silentWrite();
    await sleep(4_000);
    cluster.wake();
    await expect(answer).resolves.toEqual(answerOf(1));
  });
});
