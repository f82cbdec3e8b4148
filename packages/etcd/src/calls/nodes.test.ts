import { expect, it } from "vitest";
import { GRPC, RpcError } from "../errors.js";
import type { EtcdNode } from "./client.js";
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
    return { header: { revision: "1", raft_term: "1" }, kvs: [], count: "0", more: false } as unknown as RangeResponse;
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
