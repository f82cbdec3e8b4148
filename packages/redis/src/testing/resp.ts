/*
 * The protocol of Redis, RESP2 and RESP3, as a tree: to change replies on their way to a client. Bytes are
 * characters here (latin1).
 */

/** One value of a reply: with items, or with a text that may be `null` where the protocol has a null. */
export interface Resp {
  readonly tag: string;
  readonly text?: string | null;
  readonly items?: readonly Resp[] | null;
}

const LINES = "+-:_,#(";
const BULKS = "$=!";
const LISTS = "*~>";
const MAPS = "%|";

/** Reads the value that begins at a place; `undefined` while its end has not arrived. */
export function parseResp(bytes: string, start = 0): { readonly value: Resp; readonly end: number } | undefined {
  const line = bytes.indexOf("\r\n", start);
  if (line < 0) return undefined;
  const tag = bytes.charAt(start);
  const text = bytes.slice(start + 1, line);
  const after = line + 2;
  if (LINES.includes(tag)) return { value: { tag, text }, end: after };
  const size = Number(text);
  if (BULKS.includes(tag)) {
    if (size < 0) return { value: { tag, text: null }, end: after };
    const end = after + size + 2;
    return bytes.length < end ? undefined : { value: { tag, text: bytes.slice(after, end - 2) }, end };
  }
  if (!(LISTS + MAPS).includes(tag)) throw new Error(`not of the protocol: ${bytes.slice(start, start + 40)}`);
  if (size < 0) return { value: { tag, items: null }, end: after };
  const items: Resp[] = [];
  let end = after;
  for (let left = MAPS.includes(tag) ? 2 * size : size; left > 0; left--) {
    const item = parseResp(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.value);
    end = item.end;
  }
  return { value: { tag, items }, end };
}

/** The bytes of a value. */
export function writeResp({ tag, text, items }: Resp): string {
  if (items === null || text === null) return `${tag}-1\r\n`;
  if (items !== undefined) {
    const size = MAPS.includes(tag) ? Math.floor(items.length / 2) : items.length;
    return `${tag}${size}\r\n${items.map(writeResp).join("")}`;
  }
  if (BULKS.includes(tag)) return `${tag}${text?.length}\r\n${text}\r\n`;
  return `${tag}${text}\r\n`;
}

/** How many values a value has, itself included. */
export function sizeOf({ items }: Resp): number {
  return 1 + (items ?? []).reduce((sum, item) => sum + sizeOf(item), 0);
}

/** A value in which the one with this number is replaced by others: by none, by one or by several. */
export function withNode(value: Resp, number: number, change: (old: Resp) => readonly Resp[]): readonly Resp[] {
  if (number === 0) return change(value);
  if (!value.items) return [value];
  const items: Resp[] = [];
  let left = number - 1;
  for (const item of value.items) {
    const size = sizeOf(item);
    items.push(...(left >= 0 && left < size ? withNode(item, left, change) : [item]));
    left -= size;
  }
  return [{ ...value, items }];
}
