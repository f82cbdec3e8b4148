import type { Commit, CommitOutcome, StoredCheck, StoredWrite, Supports } from "./backend.js";
import { ChannelError } from "./errors.js";
import { encodeValue, type JsonValue } from "./json.js";
import type { Scope } from "./scope.js";
import type { CommitResult, Entry, Op } from "./types.js";

/** A commit, encoded, and for each check the op that it came from. */
export interface EncodedCommit {
  readonly commit: Commit;
  readonly checkedBy: readonly number[];
}

function validTtl(ttl: number): number {
  if (typeof ttl === "number" && ttl > 0 && Number.isFinite(ttl)) return ttl;
  throw new ChannelError("INVALID_ARGUMENT", `ttl is a number of milliseconds above 0, not ${String(ttl)}`);
}

/** Encodes a put, and refuses what the store cannot hold. */
export function encodePut(key: string, value: unknown, ttl: number | undefined, supports: Supports): StoredWrite {
  const text = encodeValue(value);
  // A character is at most three bytes of UTF-8: most values need not be counted.
  if (text.length * 3 > supports.maxValueBytes && Buffer.byteLength(text) > supports.maxValueBytes) {
    throw new ChannelError("TOO_LARGE", `the value under ${key} is larger than ${supports.maxValueBytes} bytes`);
  }
  if (ttl === undefined) return { key, value: text };
  if (!supports.ttl) throw new ChannelError("NOT_SUPPORTED", "this type of channel keeps no time to live");
  return { key, value: text, ttl: validTtl(ttl) };
}

/** Refuses a key that the store cannot hold. */
export function checkKeySize(key: string, supports: Supports): string {
  if (key.length * 3 > supports.maxKeyBytes && Buffer.byteLength(key) > supports.maxKeyBytes) {
    throw new ChannelError(
      "TOO_LARGE",
      `a key of ${Buffer.byteLength(key)} bytes is longer than ${supports.maxKeyBytes}`,
    );
  }
  return key;
}

/** An op and the channel that its key belongs to. */
export interface ScopedOp {
  readonly scope: Scope;
  readonly op: Op<unknown>;
}

/** Encodes ops, which may belong to several channels of one store. */
export function encodeCommit(ops: readonly ScopedOp[], supports: Supports): EncodedCommit {
  if (ops.length > supports.maxOps) {
    throw new ChannelError(
      "TOO_LARGE",
      `a commit of ${ops.length} ops is more than the ${supports.maxOps} of this store`,
    );
  }
  const checks: StoredCheck[] = [];
  const checkedBy: number[] = [];
  const writes: StoredWrite[] = [];
  ops.forEach(({ scope, op }, index) => {
    if ("check" in op) {
      checks.push({ key: checkKeySize(scope.key(op.check), supports), version: op.version });
      checkedBy.push(index);
    } else if ("put" in op) {
      writes.push(encodePut(checkKeySize(scope.key(op.put), supports), op.value, op.ttl, supports));
    } else {
      writes.push({ key: checkKeySize(scope.key(op.delete), supports), value: null });
    }
  });
  refuseDoubles(checks, "checked");
  refuseDoubles(writes, "written");
  return { commit: { checks, writes }, checkedBy };
}

function refuseDoubles(steps: readonly { readonly key: string }[], what: string): void {
  if (steps.length < 2) return;
  const seen = new Set<string>();
  for (const { key } of steps) {
    if (seen.has(key)) throw new ChannelError("INVALID_ARGUMENT", `${key} is ${what} twice in one commit`);
    seen.add(key);
  }
}

/** Tells which ops stood in the way, with what the store holds there. */
export function decodeOutcome(
  ops: readonly ScopedOp[],
  encoded: EncodedCommit,
  outcome: CommitOutcome,
): CommitResult<JsonValue> {
  if (outcome.ok) return outcome;
  const failed: { index: number; current?: Entry<JsonValue> }[] = [];
  encoded.commit.checks.forEach((check, i) => {
    const current = outcome.current[i];
    if ((current?.version ?? null) === check.version) return;
    const index = encoded.checkedBy[i] ?? 0;
    const scope = ops[index]?.scope;
    failed.push(current === undefined || scope === undefined ? { index } : { index, current: scope.entry(current) });
  });
  return { ok: false, failed };
}
