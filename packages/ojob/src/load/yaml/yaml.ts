import { parseAllDocuments, stringify } from "yaml";

/**
 * A value as YAML, in the style of OpenAF. Texts are in quotes that a reader of YAML 1.1 would take for
 * something else: `yes`, `2026-01-31`.
 */
export function toYaml(value: unknown): string {
  return stringify(value, { indentSeq: false, singleQuote: true, lineWidth: 0, compat: "yaml-1.1" });
}

/** The value of a YAML text, or the list of the values of its documents. */
export function fromYaml(text: string): unknown {
  const documents = [...parseAllDocuments(text)];
  const values = documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
  return values.length > 1 ? values : (values[0] ?? null);
}
