import { connect } from "node:net";

/** An answer of a Redis server. */
export type Reply = string | number | null | readonly Reply[];

/** Sends one command to a server over a new connection. Rejects after `patience` ms without an answer. */
export function ask(
  address: { readonly host: string; readonly port: number },
  words: readonly string[],
  patience: number,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    const timer = setTimeout(() => socket.destroy(new Error(`${address.host}:${address.port} is silent`)), patience);
    let said = Buffer.alloc(0);
    socket.on("connect", () => socket.write(encoded(words)));
    socket.on("data", (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]);
      const found = decoded(said, 0);
      if (found === undefined) return;
      socket.destroy();
      if (found.reply instanceof Error) reject(found.reply);
      else resolve(found.reply);
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      reject(new Error(`${address.host}:${address.port} closed the connection`));
    });
  });
}

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}

interface Decoded {
  readonly reply: Reply | Error;
  /** Where the next reply begins. */
  readonly end: number;
}

/** Decodes the reply that begins at `from`; `undefined` while a part of it is missing. */
function decoded(bytes: Buffer, from: number): Decoded | undefined {
  const lineEnd = bytes.indexOf("\r\n", from);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString("utf8", from + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(bytes[from] ?? 0)) {
    case "-":
      return { reply: new Error(line), end };
    case ":":
      return { reply: Number(line), end };
    case "$":
      return textOf(bytes, Number(line), end);
    case "*":
      return listOf(bytes, Number(line), end);
    default:
      return { reply: line, end };
  }
}

function textOf(bytes: Buffer, length: number, from: number): Decoded | undefined {
  if (length < 0) return { reply: null, end: from };
  const end = from + length + 2;
  return bytes.length < end ? undefined : { reply: bytes.toString("utf8", from, end - 2), end };
}

function listOf(bytes: Buffer, length: number, from: number): Decoded | undefined {
  const items: Reply[] = [];
  let end = from;
  for (let i = 0; i < length; i++) {
    const item = decoded(bytes, end);
    if (item === undefined || item.reply instanceof Error) return item;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
}
