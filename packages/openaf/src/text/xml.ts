import { createRequire } from "node:module";
import type * as Xml from "fast-xml-parser";
import { isArray } from "../data/compare.js";
import { type Fields, isDate, isMap } from "../data/types.js";

const require = createRequire(import.meta.url);
/** The mark of an attribute: no name of an element begins with it. */
const ATTRIBUTE = "@";
const TEXT = "#text";

/** The content of a text of XML. Of `ignored`, the names of attributes, all others count. */
export function fromXML2Obj(
  xml: unknown,
  ignored?: readonly string[],
  prefix: string = "_",
  reverse?: unknown,
): unknown {
  if (typeof xml !== "string") throw "Please provide a string or a XML object.";
  // The library takes time to load, so it is loaded at the first use.
  const { XMLParser, XMLValidator } = require("fast-xml-parser") as typeof Xml;
  // A text may have several elements side by side, so they are wrapped in one.
  const whole = `<xml>${xml
    .trim()
    .replace(/^\s*<\?xml[^?]*\?>/, "")
    // Without "<" in it: many beginnings without an end would take a time that is quadratic in their number.
    .replace(/<!DOCTYPE[^<>[]*>/, "")}</xml>`;
  const fault = XMLValidator.validate(whole);
  if (fault !== true) throw new Error(`this is not XML: ${fault.err.msg} (line ${fault.err.line})`);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: ATTRIBUTE,
    textNodeName: TEXT,
    removeNSPrefix: true,
    parseTagValue: false,
    parseAttributeValue: false,
    ignorePiTags: true,
  });
  const counts = (name: string): boolean => (ignored?.includes(name) === false) !== Boolean(reverse);
  return contentOf((parser.parse(whole) as Fields)["xml"], prefix, counts);
}

function contentOf(node: unknown, prefix: string, counts: (name: string) => boolean): unknown {
  if (!isMap(node)) return String(node ?? "");
  const attributes: Fields = {};
  const children: Fields = {};
  for (const [name, value] of Object.entries(node)) {
    if (name === TEXT) continue;
    if (name.startsWith(ATTRIBUTE)) {
      if (counts(name.slice(1))) attributes[prefix + name.slice(1)] = value;
    } else
      children[name] = isArray(value)
        ? value.map((one) => contentOf(one, prefix, counts))
        : contentOf(value, prefix, counts);
  }
  if (Object.keys(children).length > 0) return { ...attributes, ...children };
  const text = String(node[TEXT] ?? "");
  if (Object.keys(attributes).length === 0) return text;
  return text === "" ? attributes : { ...attributes, [prefix]: text };
}

/** A map as XML. With a text as `attributes`, fields like `_a` are attributes, and `_` is the text. */
export function fromObj2XML(value: unknown, _sanitize?: unknown, attributes?: unknown): string {
  return elements(value, typeof attributes === "string");
}

function elements(value: unknown, withAttributes: boolean): string {
  if (!isMap(value))
    return isArray(value) ? value.map((item) => elements(item, withAttributes)).join("") : escaped(value);
  return Object.entries(value)
    .filter(([name]) => !withAttributes || !name.startsWith("_"))
    .flatMap(([name, item]) => [item].flat().map((one) => element(name, one, withAttributes)))
    .join("");
}

function element(name: string, value: unknown, withAttributes: boolean): string {
  const own = withAttributes && isMap(value) ? Object.entries(value).filter(([key]) => key.startsWith("_")) : [];
  const text = own.find(([key]) => key === "_")?.[1];
  const attributes = own.filter(([key]) => key !== "_").map(([key, one]) => ` ${key.slice(1)}="${escaped(one)}"`);
  return `<${name}${attributes.join("")}>${text === undefined ? "" : escaped(text)}${elements(value, withAttributes)}</${name}>`;
}

function escaped(value: unknown): string {
  const text = isDate(value) ? value.toISOString() : String(value);
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
