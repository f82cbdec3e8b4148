import { connect } from "node:net";
import { gunzipSync } from "node:zlib";

/** A request in pieces, as any program may send it. Each character is one byte. */
export interface RawRequest {
  readonly method: string;
  /** The path and the query, or anything in their place. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** A response, read without an HTTP library. */
export interface RawResponse {
  readonly status: number;
  /** The names are in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/**
 * Sends a request over a connection of its own. Resolves to the response; `undefined` if the server closes
 * the connection without one. Of a stream of events it reads only the beginning.
 */
export async function sendRaw(port: number, request: RawRequest): Promise<RawResponse | undefined> {
  const { method, target, headers, body } = request;
  const length: [string, string][] = body === "" ? [] : [["Content-Length", String(body.length)]];
  const lines = [...headers, ...length, ["Connection", "close"]].map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`, "latin1");
  return read(await exchange(port, bytes));
}

function exchange(port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (part: Buffer) => {
      parts.push(part);
      const [head = "", rest = ""] = Buffer.concat(parts).toString("latin1").split("\r\n\r\n", 2);
      if (/^content-type: text\/event-stream/im.test(head) && rest !== "") socket.destroy();
    });
    // A server that rejects a request may reset the connection. What came before counts.
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(parts)));
  });
}

function read(bytes: Buffer): RawResponse | undefined {
  if (bytes.length === 0) return undefined;
  const end = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(first) ?? [];
  if (end < 0 || status === undefined) throw new Error(`not a response: ${bytes.toString("latin1").slice(0, 200)}`);
  const headers = new Map(lines.map((line) => headerOf(line)));
  let body = bytes.subarray(end + 4);
  if (headers.get("transfer-encoding") === "chunked") body = unchunked(body);
  if (headers.get("content-encoding") === "gzip" && body.length > 0) body = gunzipSync(body);
  return { status: Number(status), headers, body: body.toString("utf8") };
}

function headerOf(line: string): [string, string] {
  const [, name, value] = /^([\w-]+): (.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`not a header: ${line}`);
  return [name.toLowerCase(), value];
}

function unchunked(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const line = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.subarray(0, line).toString("latin1"), 16);
    if (line < 0 || Number.isNaN(size)) throw new Error("not a chunk");
    chunks.push(rest.subarray(line + 2, line + 2 + size));
    rest = rest.subarray(line + 2 + size + 2);
  }
  return Buffer.concat(chunks);
}
