import type { Commit, CommitOutcome, StoredCheck, StoredWrite, Supports } from "./backend/backend.js";
import { encodeValue, type JsonValue } from "./encoding/json.js";
import type { Scope } from "./encoding/scope.js";
import { ChannelError } from "./errors.js";
import type { CommitResult, FailedCheck, Key, Op } from "./types.js";

/** Ops on one of the channels of a store. */
export interface ScopedOps {
  readonly scope: Scope;
  readonly ops: readonly Op<unknown>[];
}

/** An encoded commit, and for each of its checks the key as the caller gave it. */
export interface EncodedCommit {
  readonly commit: Commit;
  readonly checkedKeys: readonly { readonly key: Key; readonly scope: Scope }[];
}

function validTtl(ttl: number): number {
  if (typeof ttl === "number" && ttl > 0 && Number.isFinite(ttl)) return ttl;
  throw new ChannelError("INVALID_ARGUMENT", `ttl must be a number of ms above 0, not ${String(ttl)}`);
}

/** Encodes a put, and refuses a value that the store cannot hold. */
export function encodePut(key: string, value: unknown, ttl: number | undefined, supports: Supports): StoredWrite {
  const text = encodeValue(value);
  // A UTF-16 unit takes at most three bytes of UTF-8, so most values need not be measured.
  if (text.length * 3 > supports.maxValueBytes && Buffer.byteLength(text) > supports.maxValueBytes) {
    throw new ChannelError("TOO_LARGE", `the value under ${key} is larger than ${supports.maxValueBytes} bytes`);
  }
  if (ttl === undefined) return { key, value: text };
  if (!supports.ttl) throw new ChannelError("NOT_SUPPORTED", "this type of channel keeps no time to live");
  return { key, value: text, ttl: validTtl(ttl) };
}

/** Refuses a key that is too long for the store. */
export function checkKeySize(key: string, supports: Supports): string {
  if (key.length * 3 > supports.maxKeyBytes && Buffer.byteLength(key) > supports.maxKeyBytes) {
    throw new ChannelError(
      "TOO_LARGE",
      `a key of ${Buffer.byteLength(key)} bytes is longer than ${supports.maxKeyBytes}`,
    );
  }
  return key;
}

/** Encodes ops on one channel, or on two channels of one store. */
export function encodeCommit(parts: readonly ScopedOps[], supports: Supports): EncodedCommit {
  const checks: StoredCheck[] = [];
  const checkedKeys: { key: Key; scope: Scope }[] = [];
  const writes: StoredWrite[] = [];
  let count = 0;
  for (const { scope, ops } of parts) {
    const first = checks.length;
    // Most keys are checked and then written: they are encoded once.
    const textOf = (key: Key): string => {
      const last = Math.min(checks.length, first + REMEMBERED);
      for (let i = first; i < last; i++) if (checkedKeys[i]?.key === key) return checks[i]?.key as string;
      return checkKeySize(scope.key(key), supports);
    };
    for (const op of ops) {
      if ("check" in op) {
        if ("put" in op || "delete" in op) throw mixedOp();
        checks.push({ key: textOf(op.check), version: op.version });
        checkedKeys.push({ key: op.check, scope });
      } else if ("put" in op) {
        if ("delete" in op) throw mixedOp();
        writes.push(encodePut(textOf(op.put), op.value, op.ttl, supports));
      } else {
        writes.push({ key: textOf(op.delete), value: null });
      }
      count++;
    }
  }
  if (count > supports.maxOps) {
    throw new ChannelError("TOO_LARGE", `a commit of ${count} ops is more than the ${supports.maxOps} of this store`);
  }
  refuseDoubles(checks, "checked");
  refuseDoubles(writes, "written");
  return { commit: { checks, writes }, checkedKeys };
}

/** One of the two would be dropped silently. */
function mixedOp(): ChannelError {
  return new ChannelError("INVALID_ARGUMENT", "an op of a commit is one of check, put and delete, not two in one");
}

/**
 * The most keys to look through. In a commit of thousands, looking for a key would cost more than encoding
 * it.
 */
const REMEMBERED = 8;

/** Up to this many steps, comparing each with each costs less than a set. */
const FEW = 8;

function refuseDoubles(steps: readonly { readonly key: string }[], what: string): void {
  const double = steps.length <= FEW ? doubleOfFew(steps) : doubleOfMany(steps);
  if (double !== undefined) throw new ChannelError("INVALID_ARGUMENT", `${double} is ${what} twice in one commit`);
}

function doubleOfFew(steps: readonly { readonly key: string }[]): string | undefined {
  for (let i = 1; i < steps.length; i++) {
    const key = steps[i]?.key;
    for (let j = 0; j < i; j++) if (steps[j]?.key === key) return key;
  }
  return undefined;
}

function doubleOfMany(steps: readonly { readonly key: string }[]): string | undefined {
  const seen = new Set<string>();
  return steps.find(({ key }) => seen.size === seen.add(key).size)?.key;
}

/** Names the checks that did not hold, each with the entry that the store holds there. */
export function decodeOutcome(encoded: EncodedCommit, outcome: CommitOutcome): CommitResult<JsonValue> {
  if (outcome.ok) return outcome;
  const failed: FailedCheck<JsonValue>[] = [];
  encoded.checkedKeys.forEach(({ key, scope }, i) => {
    const current = outcome.current[i];
    if ((current?.version ?? null) === encoded.commit.checks[i]?.version) return;
    const { channel } = scope;
    failed.push(current === undefined ? { channel, key } : { channel, key, current: scope.entry(current) });
  });
  return { ok: false, failed };
}
