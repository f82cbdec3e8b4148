import type { Holder, LockValue } from "./schema.js";

/*
 * The texts of values that every run writes, as `encodeValue` would make them, byte by byte: texts.test.ts
 * holds them to that. A template takes a quarter of the time of JSON.stringify and its checks.
 */

/** The text of a holder. The same for all locks of a session. */
export function holderText({ host, pid, instance }: Holder): string {
  return `{"host":${JSON.stringify(host)},"pid":${pid},"instance":${JSON.stringify(instance)}}`;
}

/** The text of a lock. `holder` and `note`: their texts. */
export function lockText(
  { name, token, since, timeout, until }: Omit<LockValue, "holder" | "note">,
  holder: string,
  note: string,
): string {
  const begin = `{"name":${JSON.stringify(name)},"holder":${holder},"token":${JSON.stringify(token)},"since":${since}`;
  return `${begin},"timeout":${timeout},"until":${until},"note":${note}}`;
}
