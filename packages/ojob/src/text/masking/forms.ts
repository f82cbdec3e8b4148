import { escapeHtml } from "../html.js";

/** The least length of a text that is masked. Shorter ones stand in many words that give nothing away. */
export const SHORTEST = 4;

/** A longer text is looked for in pieces of this length, so that a large part of a secret is found too. */
export const LONGEST = 64;

/** The columns after which the command `base64` begins a new line. */
const WRAPPED = 76;

/**
 * The texts by which a secret is found: each of its lines as it is, and as JSON, URLs and HTML write it, and
 * the whole in base64.
 */
export function formsOf(secret: string): string[] {
  // Half a character, which a variable of the environment can hold, has no form in a URL.
  const whole = Buffer.from(secret, "utf8").toString("utf8");
  const lines = whole.split(/\r\n|\n|\r/).map((line) => line.trim());
  const forms = [...lines.flatMap(writtenForms), ...base64Forms(Buffer.from(whole))];
  return [...new Set(forms.flatMap(piecesOf))];
}

function writtenForms(line: string): string[] {
  return [line, JSON.stringify(line).slice(1, -1), escapeHtml(line), ...urlForms(line)];
}

function urlForms(line: string): string[] {
  const encoded = encodeURIComponent(line);
  const strict = encoded.replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [encoded, strict, encodeURI(line), new URLSearchParams({ "": line }).toString().slice(1)];
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())]);
}

/**
 * In base64 three characters stand for two bytes and a bit, so a secret within a longer text, as in
 * `user:password`, is written in one of three ways, by its place. What also depends on its neighbours is left
 * out.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const alone = bytes.toString("base64");
  const all = [alone, ...chunks(alone, WRAPPED), ...forms];
  return all.flatMap((form) => [form, form.replace(/\+/g, "-").replace(/\//g, "_")]);
}

/** A text in pieces that are long enough to be looked for. The last one begins in the one before it. */
function piecesOf(text: string): string[] {
  if (text.length < SHORTEST) return [];
  return text.length <= LONGEST ? [text] : [...chunks(text, LONGEST), text.slice(-LONGEST)];
}

/** The whole chunks of a text. */
function chunks(text: string, length: number): string[] {
  const count = Math.floor(text.length / length);
  return Array.from({ length: count }, (_, index) => text.slice(index * length, (index + 1) * length));
}
