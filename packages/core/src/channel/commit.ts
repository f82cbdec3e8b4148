import { ABOVE_ZERO, checkedDuration, type Duration } from "../util/duration.js";
import type { Commit, CommitOutcome, StoredCheck, StoredEntry, StoredWrite, Supports } from "./backend/backend.js";
import { encodeValue, type JsonValue } from "./encoding/json.js";
import { knownText } from "./encoding/prepared.js";
import type { Scope } from "./encoding/scope.js";
import { storedVersion, versionOf } from "./encoding/version.js";
import { ChannelError } from "./errors.js";
import type { CommitResult, FailedCheck, Key, Op } from "./types.js";

/** Ops on one of the channels of a store. */
export interface ScopedOps {
  readonly scope: Scope;
  readonly ops: readonly Op<unknown>[];
}

/** A check as the store gets it. Copies and JSON of it do not contain the caller's key, which is private. */
class EncodedCheck implements StoredCheck {
  readonly key: string;
  readonly version: string | null;
  readonly #given: Key;
  readonly #scope: Scope;

  constructor(key: string, version: string | null, given: Key, scope: Scope) {
    this.key = key;
    this.version = version;
    this.#given = given;
    this.#scope = scope;
  }

  isOf(key: Key): boolean {
    return this.#given === key;
  }

  /** The failed check, with the entry that the store holds instead of the expected one. */
  failed(current: StoredEntry | undefined): FailedCheck<JsonValue> {
    const { channel } = this.#scope;
    const key = this.#given;
    return current === undefined ? { channel, key } : { channel, key, current: this.#scope.entry(current) };
  }
}

/** An encoded commit. */
export interface EncodedCommit extends Commit {
  readonly checks: readonly EncodedCheck[];
}

const refuse = (message: string): never => {
  throw new ChannelError("INVALID_ARGUMENT", message);
};

/** Encodes a put. Rejects a value that is too long for the store. */
export function encodePut(key: string, value: unknown, ttl: Duration | undefined, supports: Supports): StoredWrite {
  const text = knownText(value) ?? encodeValue(value);
  // A UTF-16 unit takes at most three bytes of UTF-8, so most values need not be measured.
  if (text.length * 3 > supports.maxValueBytes && Buffer.byteLength(text) > supports.maxValueBytes) {
    throw new ChannelError("TOO_LARGE", `the value under ${key} is larger than ${supports.maxValueBytes} bytes`);
  }
  if (ttl === undefined) return { key, value: text };
  if (!supports.ttl) throw new ChannelError("NOT_SUPPORTED", "this type of channel does not support a time to live");
  return { key, value: text, ttl: checkedDuration("ttl", ttl, refuse, ABOVE_ZERO) };
}

/** Rejects a key that is too long for the store. */
export function checkKeySize(key: string, supports: Supports): string {
  if (key.length * 3 > supports.maxKeyBytes && Buffer.byteLength(key) > supports.maxKeyBytes) {
    throw new ChannelError(
      "TOO_LARGE",
      `a key of ${Buffer.byteLength(key)} bytes is longer than ${supports.maxKeyBytes}`,
    );
  }
  return key;
}

/** Encodes ops on one channel, or on several channels of one store. */
export function encodeCommit(parts: readonly ScopedOps[], supports: Supports): EncodedCommit {
  let count = 0;
  let checksToCome = 0;
  for (const { ops } of parts) {
    count += ops.length;
    for (const op of ops) if ("check" in op) checksToCome++;
  }
  // Allocate the final length at once: an array that grows from empty allocates room for 17 elements.
  const checks = new Array<EncodedCheck>(checksToCome);
  const writes = new Array<StoredWrite>(count - checksToCome);
  const done = { checks: 0, writes: 0 };
  for (const part of parts) encodeOps(part, supports, checks, writes, done);
  if (count > supports.maxOps) {
    throw new ChannelError("TOO_LARGE", `a commit of ${count} ops is more than the ${supports.maxOps} of this store`);
  }
  refuseDoubles(checks, "checked");
  refuseDoubles(writes, "written");
  return { checks, writes };
}

function encodeOps(
  { scope, ops }: ScopedOps,
  supports: Supports,
  checks: EncodedCheck[],
  writes: StoredWrite[],
  done: { checks: number; writes: number },
): void {
  const first = done.checks;
  for (const op of ops) {
    if ("check" in op) {
      if ("put" in op || "delete" in op) throw mixedOp();
      const key = checkKeySize(scope.key(op.check), supports);
      checks[done.checks++] = new EncodedCheck(
        key,
        op.version === null ? null : storedVersion(op.version),
        op.check,
        scope,
      );
      continue;
    }
    if ("put" in op && "delete" in op) throw mixedOp();
    const given = "put" in op ? op.put : op.delete;
    const key = checkedBefore(given, checks, first, done.checks) ?? checkKeySize(scope.key(given), supports);
    writes[done.writes++] = "put" in op ? encodePut(key, op.value, op.ttl, supports) : { key, value: null };
  }
}

/** The text of a key that was checked in the same part. Most keys are checked and then written. */
function checkedBefore(key: Key, checks: readonly EncodedCheck[], first: number, end: number): string | undefined {
  for (let i = first; i < Math.min(end, first + REMEMBERED); i++) if (checks[i]?.isOf(key)) return checks[i]?.key;
  return undefined;
}

/** The error for an op that contains two actions. Without it, one of them would be dropped silently. */
function mixedOp(): ChannelError {
  return new ChannelError("INVALID_ARGUMENT", "an op of a commit is one of check, put and delete, not two in one");
}

/** The most keys to look through. Among thousands, the search would cost more than encoding the key. */
const REMEMBERED = 8;

/** Up to this many steps, comparing each with each costs less than a set. */
const COMPARED_ONE_BY_ONE = 8;

function refuseDoubles(steps: readonly { readonly key: string }[], what: string): void {
  const double = steps.length <= COMPARED_ONE_BY_ONE ? doubleOfFew(steps) : doubleOfMany(steps);
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
export function decodeOutcome({ checks }: EncodedCommit, outcome: CommitOutcome): CommitResult<JsonValue> {
  if (outcome.ok) return { ok: true, version: versionOf(outcome.version) };
  const failed: FailedCheck<JsonValue>[] = [];
  checks.forEach((check, i) => {
    const current = outcome.current[i];
    if ((current?.version ?? null) !== check.version) failed.push(check.failed(current));
  });
  return { ok: false, failed };
}
