import vm from "node:vm";
import { type Functions, nvl } from "../data/types.js";
import { cp, mkdir, mv, rename, rm } from "../io/files.js";
import { BytesInput, BytesOutput, type InputStream, type OutputStream } from "../io/streams.js";
import { printErrnl, printnl } from "../print/print.js";
import { visibleLength } from "../print/width.js";
import { sh } from "../shell/sh.js";
import { fromJSSLON, fromSLON, toSLON } from "../text/slon.js";
import { encodingOf, fromYAML, jsonParse, stringify, toYAML } from "../text/texts.js";
import { fromObj2XML, fromXML2Obj } from "../text/xml.js";
import { thread } from "../thread.js";

const bytesOf = (text: unknown, encoding?: unknown): Buffer => Buffer.from(String(text), encodingOf(encoding));
const textOf = (bytes: Uint8Array, encoding?: unknown): string => Buffer.from(bytes).toString(encodingOf(encoding));

function written(bytes: Uint8Array): OutputStream {
  const stream = new BytesOutput();
  stream.write(bytes);
  return stream;
}

export const af: Functions = {
  toYAML,
  fromYAML,
  toSLON,
  toCSLON: toSLON,
  fromSLON,
  fromJSSLON: (text: unknown): unknown => fromJSSLON(text, (json) => jsonParse(json, undefined, undefined, true)),
  fromXML2Obj,
  fromObj2XML,
  jsonParse,
  js2s: (value: unknown): string => stringify(value),
  fromString2Bytes: bytesOf,
  fromBytes2String: textOf,
  fromArray2Bytes: (list: readonly number[]): Buffer => Buffer.from(list),
  fromBytes2Array: (bytes: Uint8Array): number[] => [...new Int8Array(bytes)],
  toBase64Bytes: (data: string | Uint8Array): Buffer => Buffer.from(Buffer.from(data as Uint8Array).toString("base64")),
  fromBase64: (text: unknown): Buffer =>
    Buffer.from(text instanceof Uint8Array ? textOf(text) : String(text), "base64"),
  fromInputStream2String: (stream: InputStream, encoding?: unknown): string => textOf(stream.readAll(), encoding),
  fromInputStream2Bytes: (stream: InputStream): Buffer => stream.readAll(),
  fromString2InputStream: (text: unknown, encoding?: unknown): InputStream => new BytesInput(bytesOf(text, encoding)),
  fromBytes2InputStream: (bytes: Uint8Array): InputStream => new BytesInput(bytes),
  fromString2OutputStream: (text: unknown, encoding?: unknown): OutputStream => written(bytesOf(text, encoding)),
  fromBytes2OutputStream: written,
  newOutputStream: (): OutputStream => new BytesOutput(),
  fromJavaArray: (list: Iterable<unknown>): unknown[] => [...list],
  p: (text: unknown): void => printnl(`${String(text)}\n`),
  pnl: printnl,
  e: (text: unknown): void => printErrnl(`${String(text)}\n`),
  enl: printErrnl,
  sh,
  sleep: (ms: number): void => thread.sleep(ms),
  rm,
  mkdir,
  mv,
  cp,
  rename,
  eval: (code: unknown): unknown => vm.runInThisContext(String(code)),
  nvl,
  visibleLength,
};
