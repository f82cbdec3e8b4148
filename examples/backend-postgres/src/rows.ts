import type { StoredEntry } from "@ojm/core/backend";

/** An entry, an absent key, or a change, as the database returns it. `expires_in`: milliseconds, or null. */
export type Row = Readonly<{ key: Buffer; value: Buffer | null; version: string; expires_in: number | null }>;

export const bytes = (text: string): Buffer => Buffer.from(text, "utf8");

export function fromRow<V>({ key, version, expires_in }: Row, value: V): Omit<StoredEntry, "value"> & { value: V } {
  return { key: key.toString(), value, version, ...(expires_in === null ? {} : { expiresIn: expires_in }) };
}

export function entryOf(row: Row): StoredEntry | undefined {
  return row.value === null ? undefined : fromRow(row, row.value.toString());
}
