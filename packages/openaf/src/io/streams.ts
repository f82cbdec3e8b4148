import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { gunzipSync, gzipSync } from "node:zlib";
import { thread } from "../thread.js";

const CHUNK = 65_536;
/** The interval at which a terminal or pipe without data is read again, in ms. */
const PAUSE = 20;

/** A source of bytes, like the Java streams of OpenAF. */
export interface InputStream {
  /** The next byte, or -1 at the end; with a buffer, how many bytes were read into it. */
  read(buffer?: Uint8Array, offset?: number, length?: number): number;
  readAll(): Buffer;
  available(): number;
  close(): void;
}

/** The part of a stream that is needed to read all of it. */
type Source = Pick<InputStream, "read" | "close">;

export interface OutputStream {
  write(data: string | Uint8Array): void;
  flush(): void;
  close(): void;
}

export function isInputStream(value: unknown): value is InputStream {
  return value instanceof BytesInput || value instanceof FileInput;
}

export class BytesInput implements InputStream {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }

  read(buffer?: Uint8Array, offset: number = 0, length: number = buffer?.length ?? 1): number {
    if (this.#at >= this.#bytes.length) return -1;
    if (buffer === undefined) return this.#bytes[this.#at++] ?? -1;
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    buffer.set(part, offset);
    this.#at += part.length;
    return part.length;
  }

  readAll(): Buffer {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }

  available(): number {
    return this.#bytes.length - this.#at;
  }

  close(): void {}
}

export class FileInput implements InputStream {
  readonly #fd: number;
  #open = true;
  #read = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  read(buffer?: Uint8Array, offset: number = 0, length: number = buffer?.length ?? 1): number {
    const target = buffer ?? new Uint8Array(1);
    const count = this.#open ? readSync(this.#fd, target, offset, length, null) : 0;
    this.#read += count;
    if (count === 0) return -1;
    return buffer === undefined ? (target[0] ?? -1) : count;
  }

  readAll(): Buffer {
    const parts: Buffer[] = [];
    for (;;) {
      const part = Buffer.alloc(CHUNK);
      const count = this.read(part);
      if (count < 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, count));
    }
  }

  available(): number {
    return this.#open ? Math.max(0, fstatSync(this.#fd).size - this.#read) : 0;
  }

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

export class FileOutput implements OutputStream {
  readonly #fd: number;
  #open = true;

  constructor(path: string, append: boolean) {
    this.#fd = openSync(path, append ? "a" : "w");
  }

  write(data: string | Uint8Array): void {
    const bytes = Buffer.from(data as Uint8Array);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
  }

  flush(): void {}

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

export class BytesOutput implements OutputStream {
  readonly #parts: Buffer[] = [];

  write(data: string | Uint8Array): void {
    this.#parts.push(Buffer.from(data as Uint8Array));
  }

  toByteArray(): Buffer {
    return Buffer.concat(this.#parts);
  }

  toString(): string {
    return this.toByteArray().toString("utf8");
  }

  flush(): void {}

  close(): void {}
}

/** Compresses the written bytes, and passes them on when it is closed. */
export class GzipOutput extends BytesOutput {
  readonly #target: OutputStream;
  #open = true;

  constructor(target: OutputStream) {
    super();
    this.#target = target;
  }

  override close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#target.write(gzipSync(this.toByteArray()));
    this.#target.close();
  }
}

/** Reads bytes of the standard input, waiting for them. 0 at its end. */
export function readStandardInput(buffer: Uint8Array): number {
  for (;;) {
    try {
      return readSync(0, buffer, 0, buffer.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      thread.sleep(PAUSE);
    }
  }
}

/** A compressed file, as its content. */
export function gunzipInput(path: string): InputStream {
  const file = new FileInput(path);
  try {
    return new BytesInput(gunzipSync(file.readAll()));
  } finally {
    file.close();
  }
}

/** Calls a function with parts of a stream as text, until it returns true. The stream is closed then. */
export function ioStreamRead(stream: Source, body: (text: string) => unknown, size: number = CHUNK): void {
  const decoder = new StringDecoder("utf8");
  let stopped: unknown = false;
  ioStreamReadBytes(
    stream,
    (bytes) => {
      const text = decoder.write(Buffer.from(bytes));
      stopped = text !== "" && body(text);
      return stopped;
    },
    size,
  );
  const rest = decoder.end();
  if (stopped !== true && rest !== "") body(rest);
}

/** Calls a function with parts of a stream as bytes, until it returns true. The stream is closed then. */
export function ioStreamReadBytes(stream: Source, body: (bytes: Uint8Array) => unknown, size: number = CHUNK): void {
  try {
    for (;;) {
      const buffer = Buffer.alloc(size);
      const count = stream.read(buffer);
      if (count < 0 || body(buffer.subarray(0, count)) === true) return;
    }
  } finally {
    stream.close();
  }
}

/** Calls a function with each line of a stream, until it returns true. */
export function ioStreamReadLines(stream: Source, body: (line: string) => unknown, separator: string = "\n"): void {
  let rest = "";
  let stopped = false;
  ioStreamRead(stream, (text) => {
    const lines = (rest + text).split(separator);
    rest = lines.pop() ?? "";
    stopped = lines.some((line) => body(line) === true);
    return stopped;
  });
  if (!stopped && rest !== "") body(rest);
}

/** Writes a text to a stream. */
export function ioStreamWrite(stream: OutputStream, text: unknown): void {
  stream.write(String(text));
}

/** Writes bytes to a stream. */
export function ioStreamWriteBytes(stream: OutputStream, bytes: Uint8Array): void {
  stream.write(bytes);
}

/** Writes all of a stream to another, and closes both. */
export function ioStreamCopy(to: OutputStream, from: InputStream): void {
  ioStreamReadBytes(from, (bytes) => to.write(bytes));
  to.close();
}
