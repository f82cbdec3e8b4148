import type { CallOptions, ScanRequest } from "@ojm/core/backend";
import type { Codec, RawEntry } from "../layout.js";
import type { RangeResponse } from "./messages.js";
import type { Nodes } from "./nodes.js";
import { lastFew } from "./reverse.js";

/**
 * etcd reads a whole range before it turns it round. Up to this many keys, that is cheaper than to look for
 * its end.
 */
const TURN_ROUND = 1_000;

/** A page as etcd has it, expired entries included. */
export interface RawPage {
  readonly raw: readonly RawEntry[];
  readonly more: boolean;
}

/**
 * Reads one page. Forward it costs one round trip. Backward it costs two: the first counts, and a range that
 * is long is then cut down to its end, lest the node reads a million records to hand out ten.
 */
export async function scanRaw(
  nodes: Nodes,
  codec: Codec,
  request: ScanRequest,
  options?: CallOptions,
): Promise<RawPage> {
  const { reverse, limit, values } = request;
  const from = codec.key(request.from);
  const to = codec.key(request.to);
  const read = (key: Buffer): Promise<RangeResponse> => {
    // Without an order asked for, etcd stops at the limit; it hands out keys in their order anyway.
    const order = reverse ? ({ sort_order: "Descend", sort_target: "Key" } as const) : {};
    const range = { key, range_end: to, limit, keys_only: !values, ...order };
    return nodes.call("read", (node, limits) => node.range(range, limits), options);
  };
  let start = from;
  if (reverse) {
    const most = Math.max(TURN_ROUND, 2 * limit);
    start = await lastFew(from, to, limit, most, async (key) => {
      const range = { key, range_end: to, limit: 1, keys_only: true };
      const { count, kvs } = await nodes.call("read", (node, limits) => node.range(range, limits), options);
      return { count: Number(count), first: kvs[0]?.key };
    });
  }
  let page = await read(start);
  // Entries went away since they were counted, so that the end that was cut off holds too few.
  if (page.kvs.length < limit && start !== from) {
    start = from;
    page = await read(start);
  }
  return { raw: page.kvs.map((kv) => codec.entry(kv, values)), more: page.more || start !== from };
}
