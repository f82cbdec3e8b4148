import type { StoredCheck, StoredWrite } from "@ojm/core/backend";
import type { Lease } from "../expiry/leases.js";
import type { Codec } from "../layout.js";
import type { Compare, RequestOp, TxnRequest } from "./messages.js";

/** A revision that no key ever has. */
const NO_REVISION = "-1";

/** The form of a version. etcd also accepts "07" and "-0", and takes revision 0 for absence. */
const VERSION = /^[1-9]\d{0,17}$/;

/** The condition that `key` is at exactly `version`. Absent keys were created at revision 0, for etcd. */
function compare(key: Buffer, version: string | null): Compare {
  if (version === null) return { key, target: "Create", result: "Equal", create_revision: "0" };
  return { key, target: "Mod", result: "Equal", mod_revision: VERSION.test(version) ? version : NO_REVISION };
}

const get = (key: Buffer): RequestOp => ({ request_range: { key } });

/** Reads several keys at one moment. */
export function readAll(keys: readonly Buffer[]): TxnRequest {
  return { compare: [], success: keys.map(get), failure: [] };
}

/** Deletes the entry if it still has this version. */
export function deleteAt(key: Buffer, version: string): TxnRequest {
  return { compare: [compare(key, version)], success: [{ request_delete_range: { key } }], failure: [] };
}

/** Writes a key that is not an entry, only to get a new revision. */
export function touch(key: Buffer): TxnRequest {
  return { compare: [], success: [{ request_put: { key, value: Buffer.alloc(0) } }], failure: [] };
}

/** Writes a key unless it exists. If it exists, the response has it. */
export function putIfAbsent(key: Buffer, value: string): TxnRequest {
  const put = { key, value: Buffer.from(value, "utf8") };
  return { compare: [compare(key, null)], success: [{ request_put: put }], failure: [get(key)] };
}

/** Returns a commit as one transaction. If a check fails, the response has the entries of all checks. */
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
