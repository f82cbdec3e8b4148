/** Whether a word means several names: it has a `*`. */
export function isPattern(word: string): boolean {
  return word.includes("*");
}

/**
 * Whether a pattern means a name. `*` stands for any characters, also none and also `/`; each other character
 * means itself. A name that has a `*` itself is a pattern that means it.
 */
export function matchesName(pattern: string, name: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return name === pattern;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let rest = name.slice(first.length, name.length - last.length);
  // The first place of each part is enough: a pattern of many stars must not be slow.
  for (const part of parts) {
    const at = rest.indexOf(part);
    if (at < 0) return false;
    rest = rest.slice(at + part.length);
  }
  return true;
}
