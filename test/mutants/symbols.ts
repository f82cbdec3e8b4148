import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** A function, constant or class at the top of a source file, or a member of the class (`Class.method`). */
export interface CodeSymbol {
  readonly name: string;
  readonly file: string;
  readonly source: ts.SourceFile;
  readonly node: ts.Node;
}

const folders = new Map<string, readonly string[]>();

/** All files below a folder, from the root. Each folder is read once. */
export function filesIn(root: string, folder: string): readonly string[] {
  const key = join(root, folder);
  const names = folders.get(key) ?? readdirSync(key, { recursive: true, encoding: "utf8" });
  folders.set(key, names);
  return names.map((name) => join(folder, name));
}

/** The sources below a folder, or the file itself, from the root: no tests, and no helpers of tests. */
export function sourcesIn(root: string, folder: string): string[] {
  if (folder.endsWith(".ts")) return [folder];
  return filesIn(root, folder)
    .filter(
      (name) => name.endsWith(".ts") && !/\.(test|child|test-d)\.ts$|(^|\/)(testing|dist|node_modules)\//.test(name),
    )
    .sort();
}

/** The symbols of a source file: those of which the text can change while the program runs. */
export function symbolsOf(file: string, text: string): CodeSymbol[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const symbols: CodeSymbol[] = [];
  const add = (name: string, node: ts.Node): void => void symbols.push({ name, file, source, node });
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.body !== undefined) {
      add(statement.name?.text ?? "default", statement);
    } else if (ts.isVariableStatement(statement)) {
      for (const one of statement.declarationList.declarations) add(one.name.getText(source), statement);
    } else if (ts.isClassDeclaration(statement)) {
      const name = statement.name?.text ?? "default";
      add(name, statement);
      for (const member of statement.members) {
        if (ts.isConstructorDeclaration(member)) add(`${name}.constructor`, member);
        else if (member.name !== undefined) add(`${name}.${member.name.getText(source)}`, member);
      }
    }
  }
  return symbols;
}

/** A source file, and its symbols once they are needed. */
interface Source {
  readonly file: string;
  readonly text: string;
  symbols?: CodeSymbol[];
}

const packages = new Map<string, Source[]>();

/**
 * The symbols that a name means in a package: `name`, or `file.ts:name` where several files have one of that
 * name.
 */
export function symbolsNamed(root: string, pack: string, named: string): CodeSymbol[] {
  const [, path, name = ""] = /^(?:(.*\.ts):)?(.*)$/.exec(named) ?? [];
  const folder = `packages/${pack}/src`;
  const key = join(root, folder);
  const read = (file: string): Source => ({ file, text: readFileSync(join(root, file), "utf8") });
  const sources = packages.get(key) ?? sourcesIn(root, folder).map(read);
  packages.set(key, sources);
  // Parse only files that contain the name.
  const last = name.slice(name.lastIndexOf(".") + 1);
  return sources
    .filter(({ file, text }) => (path === undefined || file.endsWith(`/${path}`)) && text.includes(last))
    .flatMap((source) => {
      source.symbols ??= symbolsOf(source.file, source.text);
      return source.symbols.filter((symbol) => symbol.name === name);
    });
}
