import type { CallOptions, ScanRequest } from "@ojm/core/backend";
import type { Codec, RawEntry } from "../layout.js";
import type { RangeResponse } from "./messages.js";
import type { Nodes } from "./nodes.js";
import { lastFew } from "./reverse.js";

/**
 * etcd reads a whole range before it reverses it. Up to this many keys, that is cheaper than to search for
 * the end of the range.
 */
const TURN_ROUND = 1_000;

/** A page as etcd returns it, expired entries included. */
export interface RawPage {
  readonly raw: readonly RawEntry[];
  readonly more: boolean;
}

/**
 * Reads one page. A forward page costs one round trip. A reverse page costs two, as the first one counts the
 * keys. A long range is then cut down to its end, which costs more round trips: otherwise the node would read
 * a million records to return ten.
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
    // Request no order for a forward page: etcd then stops at the limit, and returns the keys in order
    // anyway.
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
  // Entries were deleted after they were counted, so the end of the range holds too few: read the whole
  // range.
  if (page.kvs.length < limit && start !== from) {
    start = from;
    page = await read(start);
  }
  return { raw: page.kvs.map((kv) => codec.entry(kv, values)), more: page.more || start !== from };
}
