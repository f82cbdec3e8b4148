import type { RunRecord } from "@ojm/core";

/** Why a run did not complete, and the failures of steps after which it went on. */
export function trouble({ error, result }: RunRecord): string {
  const { warnings = [] } = (result ?? {}) as { readonly warnings?: unknown };
  // A program's own result may have a field of that name, too.
  const texts = Array.isArray(warnings) ? warnings.filter((one) => typeof one === "string") : [];
  const heading = texts.length === 1 ? "warning: " : `${texts.length} warnings: `;
  return [error ?? [], texts.length === 0 ? [] : `${heading}${texts.join("; ")}`].flat().join("; ");
}
