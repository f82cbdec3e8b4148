import { existsSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Functions } from "../data/types.js";
import { fromXML2Obj } from "../text/xml.js";
import { thread } from "../thread.js";
import * as files from "./files.js";
import { canonicalPath, fileInfo, listFilenames, listFiles } from "./info.js";
import {
  FileInput,
  FileOutput,
  GzipOutput,
  gunzipInput,
  type InputStream,
  ioStreamReadLines,
  ioStreamWrite,
  isInputStream,
  type OutputStream,
  readStandardInput,
} from "./streams.js";

export function isBinaryArray(bytes: ArrayLike<number>, limit: number = 1024): boolean {
  const isText = (byte: number): boolean =>
    [9, 10, 11, 13, 153].includes(byte) || (byte >= 32 && byte <= 126) || byte >= 160;
  const all = Array.from(bytes);
  return (limit > 0 ? all.slice(0, limit) : all).some((byte) => !isText(byte));
}

/** Calls a function with each line of the standard input, until it returns true. */
function pipeLn(body: (line: string) => unknown): void {
  const read = (buffer: Uint8Array = new Uint8Array(1)): number => readStandardInput(buffer) || -1;
  const input = { read, close: (): void => {} };
  ioStreamReadLines(input, (line) => body(line.replace(/\r$/, "")));
}

function readLinesNDJSON(
  from: string | InputStream,
  body: (value: unknown) => unknown,
  onError?: (error: unknown) => unknown,
): void {
  ioStreamReadLines(isInputStream(from) ? from : new FileInput(from), (line) => {
    try {
      return body(thread.jsonParse(line, true));
    } catch (error) {
      if (onError === undefined) throw error;
      onError(error);
      return false;
    }
  });
}

function writeLineNDJSON(to: string | OutputStream, value: unknown, encoding?: unknown): void {
  const line = `${thread.stringify(value, undefined, "")}\n`;
  if (typeof to === "string") files.writeFileString(to, line, encoding, true);
  else ioStreamWrite(to, line);
}

const { readFileBytes, readFileString, writeFileString } = files;

/** The object `io`. All that files.ts exports belongs to it. */
export const io: Functions = {
  ...files,
  fileExists: (path: string): boolean => existsSync(path),
  fileInfo,
  listFiles,
  listFilenames,
  getCanonicalPath: canonicalPath,
  getDefaultEncoding: (): string => "UTF-8",
  readFileBytesRO: readFileBytes,
  readFile: files.readFileJSON,
  writeFile: (path: string, value: unknown, encoding?: unknown, append?: unknown): void =>
    writeFileString(path, thread.stringify(value, undefined, ""), encoding, append),
  readFileXML: (path: string): unknown => fromXML2Obj(readFileString(path)),
  readLinesNDJSON,
  writeLineNDJSON,
  readFileStream: (path: string): InputStream => new FileInput(path),
  writeFileStream: (path: string, append?: unknown): OutputStream => new FileOutput(path, Boolean(append)),
  readFileGzipStream: gunzipInput,
  writeFileGzipStream: (path: string, append?: unknown): OutputStream =>
    new GzipOutput(new FileOutput(path, Boolean(append))),
  gzip: (data: Uint8Array | string): Buffer => gzipSync(data),
  gunzip: (data: Uint8Array): Buffer => gunzipSync(data),
  isBinaryFile: (path: string, limit?: number): boolean => isBinaryArray(readFileBytes(path), limit),
  pipeLn,
};
