import type { StoredCheck, StoredWrite } from "@ojm/core/backend";
import type { Codec } from "./codec.js";
import type { Lease } from "./leases.js";
import type { Compare, RequestOp, TxnRequest } from "./messages.js";

/** A revision that no store comes to. */
const NEVER = "9223372036854775807";

/**
 * The condition that `key` is at exactly `version`; etcd's way to say "absent" is that it was created at revision 0. A text that etcd would
 * read as a number, but never gave out as a version ("0", "007"), is at no entry, and does not stand for absence.
 */
function compare(key: Buffer, version: string | null): Compare {
  if (version === null) return { key, target: "Create", result: "Equal", create_revision: "0" };
  const mod_revision = /^[1-9]\d{0,18}$/.test(version) && BigInt(version) <= BigInt(NEVER) ? version : NEVER;
  return { key, target: "Mod", result: "Equal", mod_revision };
}

const get = (key: Buffer): RequestOp => ({ request_range: { key } });

/** Reads single keys at one moment. */
export function readAll(keys: readonly Buffer[]): TxnRequest {
  return { compare: [], success: keys.map(get), failure: [] };
}

/** Deletes the entry if it still has this version. */
export function deleteAt(key: Buffer, version: string): TxnRequest {
  return { compare: [compare(key, version)], success: [{ request_delete_range: { key } }], failure: [] };
}

/** Writes something that is no entry, only to get a revision that was never given out. */
export function touch(key: Buffer): TxnRequest {
  return { compare: [], success: [{ request_put: { key, value: Buffer.alloc(0) } }], failure: [] };
}

/** A commit as one transaction, which answers with all checked entries when a check fails. */
export function commitRequest(
  codec: Codec,
  checks: readonly StoredCheck[],
  writes: readonly StoredWrite[],
  leaseOf: ReadonlyMap<number, Lease>,
): TxnRequest {
  return {
    compare: checks.map(({ key, version }) => compare(codec.key(key), version)),
    success: writes.map(({ key, value, ttl }): RequestOp => {
      if (value === null) return { request_delete_range: { key: codec.key(key) } };
      const put = { key: codec.key(key), value: codec.value(value, ttl) };
      const lease = ttl === undefined ? undefined : leaseOf.get(ttl);
      return { request_put: lease === undefined ? put : { ...put, lease: lease.id } };
    }),
    failure: checks.map(({ key }) => get(codec.key(key))),
  };
}
