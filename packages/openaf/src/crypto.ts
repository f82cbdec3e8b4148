import { createHash, createHmac, randomInt } from "node:crypto";
import type { Functions } from "./data/types.js";
import { isInputStream } from "./io/streams.js";

type Data = string | Uint8Array;
type Hmac = (data: Data, key: Data, toHex?: unknown) => string | Buffer;

const hash =
  (name: string): ((data: unknown) => string) =>
  (data) =>
    createHash(name).update(bytesOf(data)).digest("hex");

const hmac =
  (name: string): Hmac =>
  (data, key, toHex) => {
    const code = createHmac(name, key).update(data);
    return toHex ? code.digest("hex") : code.digest();
  };

/** Bytes as they are, the remaining bytes of a stream, and a number or the like as its text. */
function bytesOf(data: unknown): Data {
  if (data instanceof Uint8Array) return data;
  if (isInputStream(data)) return data.readAll();
  // All maps have the same text, so all would have the same hash.
  if (typeof data === "object" && data !== null) throw new TypeError("this takes a text, bytes or a stream, not a map");
  return String(data);
}

/** The hash of a text, of bytes or of a stream, in hexadecimal digits. */
export const md5: (data: unknown) => string = hash("md5");
export const sha1: (data: unknown) => string = hash("sha1");
export const sha256: (data: unknown) => string = hash("sha256");
export const sha384: (data: unknown) => string = hash("sha384");
export const sha512: (data: unknown) => string = hash("sha512");

/** The code that proves who wrote data, as bytes, or with `toHex` in hexadecimal digits. */
export const hmacSHA1: Hmac = hmac("sha1");
export const hmacSHA256: Hmac = hmac("sha256");
export const hmacSHA384: Hmac = hmac("sha384");
export const hmacSHA512: Hmac = hmac("sha512");

export function toBase64(data: unknown): string {
  return Buffer.from(bytesOf(data) as string).toString("base64");
}

export function fromBase64(text: unknown): string {
  return Buffer.from(String(text), "base64").toString("utf8");
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const SETS = [LETTERS, LETTERS.toUpperCase(), "0123456789"];

/** A password of this length from these sets of characters. */
export function genPass(size: number = 16, sets: readonly string[] = SETS): string {
  const all = sets.join("");
  return Array.from({ length: size }, () => all[randomInt(all.length)]).join("");
}

export const BYTES: Functions = {
  md5,
  sha1,
  sha256,
  sha384,
  sha512,
  hmacSHA1,
  hmacSHA256,
  hmacSHA384,
  hmacSHA512,
  toBase64,
  fromBase64,
};
