import assert from "node:assert/strict";
import { type ChannelError, type ChannelErrorCode, isChannelError } from "@ojm/core";

/**
 * Resolves to the error that `work` rejects with; throws unless it is a `ChannelError` with one of `codes`.
 */
export async function rejectsWith(
  work: Promise<unknown> | (() => Promise<unknown>),
  ...codes: readonly ChannelErrorCode[]
): Promise<ChannelError> {
  let error: unknown;
  try {
    await (typeof work === "function" ? work() : work);
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) assert.fail(`it did not reject; expected ${codes.join(" or ") || "a ChannelError"}`);
  if (!isChannelError(error)) assert.fail(`it rejected with something other than a ChannelError: ${String(error)}`);
  if (codes.length > 0) {
    assert.ok(codes.includes(error.code), `expected ${codes.join(" or ")}, not ${error.code}: ${error.message}`);
  }
  return error;
}

/** The version that a backend gives: decimal digits without zeros in front. */
export const OF_BACKENDS: RegExp = /^[1-9][0-9]*$/;

/** The version that callers of core see: 19 digits, so that texts sort as their numbers do. */
const OF_CHANNELS = /^[0-9]{19}$/;

/** Throws unless `versions` are valid versions and strictly increase. */
export function assertIncreasing(versions: readonly string[], what: string, form: RegExp = OF_CHANNELS): void {
  for (const version of versions) assert.match(version, form, `${what}: a version in the wrong format`);
  for (let i = 1; i < versions.length; i++) {
    const [before = "", after = ""] = versions.slice(i - 1, i + 1);
    assert.ok(BigInt(before) < BigInt(after), `${what}: version ${after} came after ${before} and is not above it`);
  }
}

/** Collects what an iterable yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What `work` resolves to, or the `ChannelError` that it rejects with. Anything else is thrown. */
export async function settle<T>(work: Promise<T>): Promise<{ readonly value: T } | { readonly error: ChannelError }> {
  try {
    return { value: await work };
  } catch (error) {
    if (isChannelError(error)) return { error };
    throw error;
  }
}
