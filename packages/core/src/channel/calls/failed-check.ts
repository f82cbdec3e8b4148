import type { Entry } from "../types.js";

/**
 * The check of `key`, if it is among those that failed. Finds it by identity: pass the key that was given to
 * the commit.
 */
export function failedCheck<V>(
  failed: readonly { readonly key: unknown; readonly current?: Entry<V> }[],
  key: unknown,
): { readonly current?: Entry<V> } | undefined {
  return failed.find((check) => check.key === key);
}
