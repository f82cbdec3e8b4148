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
  if (!isChannelError(error)) assert.fail(`it rejected with something else than a ChannelError: ${String(error)}`);
  if (codes.length > 0) {
    assert.ok(codes.includes(error.code), `expected ${codes.join(" or ")}, not ${error.code}: ${error.message}`);
  }
  return error;
}

/** Throws unless `versions` are valid versions and strictly increase. */
export function assertIncreasing(versions: readonly string[], what: string): void {
  for (const version of versions)
    assert.match(version, /^[0-9]{19}$/, `${what}: 19 decimal digits, so that texts sort as numbers`);
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
