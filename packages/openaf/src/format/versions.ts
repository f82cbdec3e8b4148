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
