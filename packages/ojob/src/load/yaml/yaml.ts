import { parseAllDocuments, type ScalarTag, stringify } from "yaml";

/** A value as YAML in OpenAF's style. Quotes texts that YAML 1.1 would read as another type: `yes`. */
export function toYaml(value: unknown): string {
  return stringify(value, { indentSeq: false, singleQuote: true, lineWidth: 0, compat: "yaml-1.1" });
}

/** A number that OpenAF reads beyond YAML 1.2: `1_000`, `0b11`, `0x1_F`. */
const NUMBER: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  test: /^[-+]?(?:0b[01](?:_?[01])*|0x[\da-fA-F](?:_?[\da-fA-F])*|0o[0-7](?:_?[0-7])*|\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?(?:e[-+]?\d+)?)$/i,
  resolve(text) {
    const [, sign = "", digits = ""] = /^([-+]?)(.*)$/.exec(text.replaceAll("_", "")) ?? [];
    return Number(digits) * (sign === "-" ? -1 : 1);
  },
};

/** OpenAF reads dates and merge keys of YAML 1.1. Words such as `yes` stay texts, as in OpenAF. */
const OPENAF_SCHEMA = { schema: "core", merge: true, customTags: ["timestamp" as const, NUMBER] };

/** The value of a YAML text as OpenAF reads it, or the list of the values of its documents. */
export function fromYaml(text: string): unknown {
  const documents = [...parseAllDocuments(text, OPENAF_SCHEMA)];
  const values = documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
  return values.length > 1 ? values : (values[0] ?? null);
}
