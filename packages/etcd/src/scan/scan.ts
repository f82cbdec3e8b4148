import type { CallOptions, ScanRequest } from "@ojm/core/backend";
import type { RangeRequest, RangeResponse } from "../calls/messages.js";
import type { Nodes } from "../calls/nodes.js";
import type { Codec, RawEntry } from "../layout.js";
import { Ends, roomFor } from "./ends.js";
import { LARGE, LargeRanges } from "./large-ranges.js";
import { RecentKeys } from "./recent.js";
import { type Look, lastFew } from "./reverse.js";

/**
 * etcd reads a whole range before it reverses it. Up to this many keys, that is cheaper than to search for
 * the end of the range: 1,000 keys take three times as long as 20.
 */
const TURN_ROUND = 400;

/** A range may be this many times as long as a page before it is cut down. */
const PAGES = 4;

/** The most remembered starts of ranges: a caller that walks from name to name needs one per name. */
const STARTS_LIMIT = 4_000;

/** Counting this many keys for each entry of a page is much more work than reading the page. */
const WASTED = 1_000;

/** A page as etcd returns it, expired entries included. If there are more, it has at least one entry. */
export interface RawPage {
  readonly raw: readonly RawEntry[];
  readonly more: boolean;
}

type Send = (request: RangeRequest) => Promise<RangeResponse>;

/**
 * Reads the pages of scans.
 *
 * etcd counts all keys of the requested range, even if it returns only ten of them: 10 ms at 100,000 keys. So
 * a page of a large range requests a part of it. The parts are as wide as the keys of the page before it, and
 * a page may be shorter than its limit.
 */
export class Scans {
  readonly #nodes: Nodes;
  readonly #codec: Codec;
  readonly #memory: Memory = new Memory();

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
    const { kvs, more } = await read(send, this.#memory, { from, to, limit, keys_only: !values });
    return { raw: kvs.map((kv) => this.#codec.entry(kv, values)), more };
  }
}

/** @internal What earlier pages show about the next ones. Exported for its test. */
export class Memory {
  readonly large: LargeRanges = new LargeRanges();
  readonly ends: Ends = new Ends();
  /**
   * The last keys of pages of large ranges, by the start of the page. Parts do not help for a page that
   * begins at the start of a channel or of a name, because that start has few bytes in common with the keys.
   */
  readonly begins: RecentKeys = new RecentKeys(STARTS_LIMIT);
}

interface Wanted {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly limit: number;
  readonly keys_only: boolean;
}

type Found = Pick<RangeResponse, "kvs" | "more">;

/** @internal Reads a page in the order of keys. Exported for its test. */
export async function forward(send: Send, { large, begins }: Memory, wanted: Wanted): Promise<Found> {
  const { from, to, limit, keys_only } = wanted;
  const id = Buffer.concat([from, Buffer.from(` ${limit}`)]);
  const wasted = Math.min(LARGE, WASTED * limit);
  const known = begins.get(id);
  if (known !== undefined && Buffer.compare(known, to) < 0) {
    const range_end = Buffer.concat([known, Buffer.of(0)]);
    const { kvs, count } = await send({ key: from, range_end, limit, keys_only });
    if (kvs.length < limit || Number(count) > wasted) begins.delete(id);
    if (kvs.length === limit) return { kvs, more: true };
  }
  // Request no order: etcd then stops reading at the limit, and returns the keys in order anyway.
  for (const part of large.partsFrom(from, to)) {
    const { kvs, more, count } = await send({ key: part.from, range_end: part.to, limit, keys_only });
    if (kvs.length === 0 && part.bytes > 0) continue;
    large.read(to, part, { kvs, limit, count: Number(count), most: LARGE, begin: part.from });
    const last = kvs[limit - 1]?.key;
    if (last !== undefined && Number(count) > wasted) begins.set(id, last);
    return { kvs, more: more || part.bytes > 0 };
  }
  return { kvs: [], more: false };
}

/**
 * @internal Reads a page in the opposite order. A long range is cut down to its end, which costs more round
 * trips: otherwise the node would read a million records to return ten. Exported for its test.
 */
export async function backward(send: Send, memory: Memory, wanted: Wanted): Promise<Found> {
  const { large, ends } = memory;
  const { from, to, limit, keys_only } = wanted;
  const least = roomFor(limit);
  const most = Math.max(TURN_ROUND, PAGES * least);
  const look = async (key: Buffer, range_end: Buffer): Promise<Look> => {
    const { count, kvs } = await send({ key, range_end, limit: 1, keys_only: true });
    return { count: Number(count), first: kvs[0]?.key };
  };
  const read = (key: Buffer, range_end: Buffer): Promise<RangeResponse> =>
    send({ key, range_end, limit, keys_only, sort_order: "Descend", sort_target: "Key" });
  const remember = (start: Buffer, { kvs }: Found, count: number): void => {
    const last = kvs.at(-1)?.key;
    // The counted keys suffice for the next page too, and nothing else shows how wide that should be.
    const isShared = last !== undefined && count >= 2 * limit && large.isUnknown(from, last);
    ends.read({ from, to, least, start, last: isShared ? last : undefined });
  };
  const known = ends.startOf({ from, to, least }, large.isUnknown(from, to));
  if (known !== undefined) {
    const { count } = await look(known, to);
    const isRight = count >= limit && count <= most;
    const page = isRight ? await read(known, to) : undefined;
    if (page?.kvs.length === limit) {
      remember(known, page, count);
      return { kvs: page.kvs, more: true };
    }
  }
  for (const part of large.partsBefore(from, to)) {
    let counted: number | undefined;
    let counts = 0;
    const start = await lastFew(part.from, part.to, least, most, async (key) => {
      const seen = await look(key, part.to);
      counted ??= seen.count;
      counts = seen.count;
      return seen;
    });
    const isWhole = start === part.from;
    if (counted === 0 && part.bytes > 0) continue;
    let page = await read(start, part.to);
    let more = page.more || !isWhole || part.bytes > 0;
    if (page.kvs.length < limit && !isWhole) {
      // Entries were deleted after they were counted, so the end of the part holds too few: read all of it.
      page = await read(part.from, part.to);
      more = page.more || part.bytes > 0;
    }
    if (page.kvs.length === 0 && part.bytes > 0) continue;
    large.read(from, part, { kvs: page.kvs, limit, count: counted ?? 0, most });
    if (!isWhole && counts <= most) remember(start, page, counts);
    return { kvs: page.kvs, more };
  }
  return { kvs: [], more: false };
}
