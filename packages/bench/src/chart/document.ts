/**
 * Puts a text between the lines `<!-- mark -->` and `<!-- /mark -->` of a document. Throws if it has no such
 * lines.
 */
export function filled(document: string, mark: string, text: string): string {
  const marked = new RegExp(`<!-- ${mark} -->[^]*<!-- /${mark} -->`);
  if (!marked.test(document)) throw new Error(`there are no lines <!-- ${mark} --> and <!-- /${mark} -->`);
  return document.replace(marked, () => `<!-- ${mark} -->\n${text}\n<!-- /${mark} -->`);
}
