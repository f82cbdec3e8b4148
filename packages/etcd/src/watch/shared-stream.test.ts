import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EtcdNode } from "../calls/client.js";
import type { WatchResponse, WatchStream } from "../calls/messages.js";
import { SharedStream } from "./shared-stream.js";

/** A node that confirms each watch, until it is silently cut off. */
class Node extends EventEmitter {
  cutOff = false;
  asked = 0;

  write({ create_request: create }: { readonly create_request?: { readonly watch_id: string } }): void {
    if (create === undefined || this.cutOff) return;
    this.asked++;
    this.tell({ watch_id: create.watch_id, created: true });
  }

  cancel(): void {}

  tell(response: Partial<WatchResponse>): void {
    const header = { revision: "1" };
    this.emit("data", { header, canceled: false, created: false, compact_revision: "0", events: [], ...response });
  }
}

describe("a watch stream", () => {
  let node: Node;
  let stream: SharedStream;
  let over: number | undefined;

  beforeEach(async () => {
    vi.useFakeTimers();
    over = undefined;
    node = new Node();
    const of = { name: "node", watch: async () => node as unknown as WatchStream } as unknown as EtcdNode;
    stream = await SharedStream.open(of, Buffer.from("probe"), () => {
      over = performance.now();
    });
    const key = Buffer.from("a");
    await stream.watch({ key, range_end: key, start_revision: "0" } as never, {
      confirmed: () => {},
      changes: () => {},
    });
  });
  afterEach(() => vi.useRealTimers());

  it.each([0, 1, 700, 1_499, 1_501, 2_900, 4_000])(
    "a watch stream is given up 3 s after its last message, which came %i ms after the first watch",
    async (ms) => {
      await vi.advanceTimersByTimeAsync(ms);
      node.tell({ watch_id: "0" });
      node.cutOff = true;
      const last = performance.now();
      await vi.advanceTimersByTimeAsync(10_000);
      expect((over ?? Number.POSITIVE_INFINITY) - last).toBeLessThanOrEqual(3_001);
    },
  );

  it("a watch stream asks for no sign of life while messages come, and for one in 1.5 s while none do", async () => {
    for (let i = 0; i < 20; i++) {
      node.tell({ watch_id: "0" });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(node.asked).toBe(1);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(node.asked).toBeGreaterThan(1);
    expect(node.asked).toBeLessThanOrEqual(1 + 11);
    expect(over).toBeUndefined();
  });
});
