import type { CallOptions, ScanRequest } from "@ojm/core/backend";
import type { Codec, RawEntry } from "../layout.js";
import { LARGE, LargeRanges } from "./large-ranges.js";
import type { RangeRequest, RangeResponse } from "./messages.js";
import type { Nodes } from "./nodes.js";
import { lastFew } from "./reverse.js";

/**
 * etcd reads a whole range before it reverses it. Up to this many keys, that is cheaper than to search for
 * the end of the range.
 */
const TURN_ROUND = 1_000;

/** A page as etcd returns it, expired entries included. If there are more, it has at least one entry. */
export interface RawPage {
  readonly raw: readonly RawEntry[];
  readonly more: boolean;
}

type Send = (request: RangeRequest) => Promise<RangeResponse>;

/**
 * Reads the pages of scans.
 *
 * etcd counts all keys of the range that it is asked for, also if it returns only ten of them: 10 ms at
 * 100,000 keys. So a page of a large range asks for a part of it. The parts are as wide as the keys of the
 * page before it, and a page may be shorter than its limit.
 */
export class Scans {
  readonly #nodes: Nodes;
  readonly #codec: Codec;
  readonly #large: LargeRanges = new LargeRanges();

  constructor(nodes: Nodes, codec: Codec) {
    this.#nodes = nodes;
    this.#codec = codec;
  }

  /** Reads one page. Most forward pages cost one round trip, most reverse pages two. */
  async page(request: ScanRequest, options?: CallOptions): Promise<RawPage> {
    const { reverse, limit, values } = request;
    const send: Send = (range) => this.#nodes.call("read", (node, limits) => node.range(range, limits), options);
    const [from, to] = [this.#codec.key(request.from), this.#codec.key(request.to)];
    const read = reverse ? backward : forward;
    const { kvs, more } = await read(send, this.#large, { from, to, limit, keys_only: !values });
    return { raw: kvs.map((kv) => this.#codec.entry(kv, values)), more };
  }
}

/** A page to read, in the keys of etcd. */
interface Wanted {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly limit: number;
  readonly keys_only: boolean;
}

type Found = Pick<RangeResponse, "kvs" | "more">;

/** @internal Reads a page in the order of keys. Exported for its test. */
export async function forward(send: Send, large: LargeRanges, { from, to, limit, keys_only }: Wanted): Promise<Found> {
  // Request no order: etcd then stops reading at the limit, and returns the keys in order anyway.
  for (const part of large.partsFrom(from, to)) {
    const { kvs, more, count } = await send({ key: part.from, range_end: part.to, limit, keys_only });
    if (kvs.length === 0 && part.bytes > 0) continue;
    large.read(to, part, { kvs, limit, count: Number(count), most: LARGE, begin: part.from });
    return { kvs, more: more || part.bytes > 0 };
  }
  return { kvs: [], more: false };
}

/**
 * @internal Reads a page in the opposite order. A long range is cut down to its end, which costs more round
 * trips: otherwise the node would read a million records to return ten. Exported for its test.
 */
export async function backward(send: Send, large: LargeRanges, { from, to, limit, keys_only }: Wanted): Promise<Found> {
  const most = Math.max(TURN_ROUND, 2 * limit);
  for (const part of large.partsBefore(from, to)) {
    const range_end = part.to;
    let counted: number | undefined;
    const start = await lastFew(part.from, range_end, limit, most, async (key) => {
      const { count, kvs } = await send({ key, range_end, limit: 1, keys_only: true });
      counted ??= Number(count);
      return { count: Number(count), first: kvs[0]?.key };
    });
    const isWhole = start === part.from;
    if (counted === 0 && part.bytes > 0) continue;
    const read = (key: Buffer): Promise<RangeResponse> =>
      send({ key, range_end, limit, keys_only, sort_order: "Descend", sort_target: "Key" });
    let page = await read(start);
    let more = page.more || !isWhole || part.bytes > 0;
    if (page.kvs.length < limit && !isWhole) {
      // Entries were deleted after they were counted, so the end of the part holds too few: read all of it.
      page = await read(part.from);
      more = page.more || part.bytes > 0;
    }
    if (page.kvs.length === 0 && part.bytes > 0) continue;
    large.read(from, part, { kvs: page.kvs, limit, count: counted ?? 0, most });
    return { kvs: page.kvs, more };
  }
  return { kvs: [], more: false };
}
