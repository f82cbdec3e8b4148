/** The words of a text in lines of this width; what stands in brackets stays together. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.match(/\[[^\]]*\]|\S+/g) ?? []) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
