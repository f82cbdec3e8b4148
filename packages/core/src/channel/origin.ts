/** How another thread can open the same channel: plain data. */
export interface ChannelOrigin {
  readonly name: string;
  /** The type, by a name that leads there from anywhere in this process. */
  readonly type: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Whether a value is data through and through, and not something that lives, such as a client. Bytes are data. */
export function isData(value: unknown): boolean {
  if (value === null || ["string", "number", "boolean", "bigint", "undefined"].includes(typeof value)) return true;
  if (typeof value !== "object") return false;
  if (ArrayBuffer.isView(value)) return true;
  if (Array.isArray(value)) return value.every(isData);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isData);
}
