/** -1, 0 or 1: whether a version is before, the same as, or after another. */
export function compareVersion(a: unknown, b: unknown): number {
  const parts = (version: unknown): string[] => String(version).trim().replace(/^v/i, "").split(/[.-]/);
  const [own, other] = [parts(a), parts(b)];
  for (let i = 0; i < Math.max(own.length, other.length); i++) {
    const [left = "0", right = "0"] = [own[i], other[i]];
    const order = left.localeCompare(right, "en", { numeric: true });
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}

/** Whether a version is one that a text such as `>=1.2, <2` allows. */
export function checkVersionSpec(version: unknown, spec: unknown): boolean {
  return String(spec)
    .split(",")
    .every((part) => {
      const [, sign = "=", wanted] = /^(>=|<=|>|<|=)?\s*(.+)$/.exec(part.trim()) ?? [];
      const order = compareVersion(version, wanted);
      return (
        (order > 0 && sign.startsWith(">")) ||
        (order < 0 && sign.startsWith("<")) ||
        (order === 0 && sign.endsWith("="))
      );
    });
}

/**
 * The order of two versions as semver has it: `1.0.0-rc.2` is before `1.0.0-rc.10`, and both are before
 * `1.0.0`.
 */
export function compareSemantic(a: unknown, b: unknown): number {
  const [own, other] = [partsOf(a), partsOf(b)];
  const order = compareVersion(own.release, other.release);
  if (order !== 0 || own.candidate === other.candidate) return order;
  if (own.candidate === undefined || other.candidate === undefined) return own.candidate === undefined ? 1 : -1;
  const [left, right] = [own.candidate.split("."), other.candidate.split(".")];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = compareIdentifiers(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The numbers of a version, and what marks it as a candidate. Its build says nothing about the order. */
function partsOf(version: unknown): { readonly release: string; readonly candidate: string | undefined } {
  const [whole = ""] = String(version).trim().split("+");
  const dash = whole.indexOf("-");
  return dash < 0
    ? { release: whole, candidate: undefined }
    : { release: whole.slice(0, dash), candidate: whole.slice(dash + 1) };
}

/** Numbers are before words, and a shorter list of them is first. */
function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && otherIsNumber) return Math.sign(Number(a) - Number(b));
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
