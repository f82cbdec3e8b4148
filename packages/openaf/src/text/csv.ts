import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { parse, Options as ReadOptions } from "csv-parse/sync";
import type { stringify, Options as WriteOptions } from "csv-stringify/sync";
import { type Fields, isDate, isMap } from "../data/types.js";
import { type InputStream, isInputStream, type OutputStream } from "../io/streams.js";

const require = createRequire(import.meta.url);

/** The rows of a text. The library takes time to load, so it is loaded at the first use. */
function readRows(text: string, options: ReadOptions): unknown[][] {
  const library = require("csv-parse/sync") as { readonly parse: typeof parse };
  return library.parse(text, options) as unknown as unknown[][];
}

/** The text of rows. */
function writeRows(rows: readonly unknown[][], options: WriteOptions): string {
  const library = require("csv-stringify/sync") as { readonly stringify: typeof stringify };
  return library.stringify([...rows], options);
}

/** The settings of OpenAF for CSV. */
interface CsvSettings {
  readonly quoteMode?: string;
  readonly withHeader?: boolean;
  readonly withHeaders?: readonly string[];
  readonly withDelimiter?: string;
  readonly withEscape?: string;
  readonly withNullString?: string;
  readonly format?: string;
}

/** A text may have more than one kind of them. */
const LINE_BREAKS = ["\r\n", "\n", "\r"];

/** The differences of OpenAF's formats from its default. */
const FORMATS: Readonly<Record<string, Partial<CsvSettings>>> = {
  DEFAULT: {},
  EXCEL: {},
  RFC4180: {},
  TDF: { withDelimiter: "\t" },
};

/** Reads and writes CSV: `$csv().fromInFile("a.csv").toOutArray()`, `$csv().fromInArray(list)`. */
export class Csv {
  #settings: CsvSettings;
  #source: string | undefined;
  #file: { readonly path: string; readonly append: boolean } | undefined;
  #stream: OutputStream | undefined;

  constructor(settings: CsvSettings = {}) {
    this.#settings = { quoteMode: "MINIMAL", withHeader: true, ...settings };
  }

  /** Writes maps, with the fields of the first as columns. Returns the text, or true with a target. */
  fromInArray(list: readonly unknown[]): string | true {
    const { quoteMode = "MINIMAL", withHeader, withDelimiter = ",", withEscape, withNullString = "" } = this.#merged();
    const columns = this.#settings.withHeaders ?? Object.keys((list[0] ?? {}) as Fields);
    const rows = list.map((item) => columns.map((name) => cellOf((item as Fields)[name], withNullString)));
    const options: WriteOptions = {
      delimiter: withDelimiter,
      record_delimiter: "\r\n",
      quoted: quoteMode.startsWith("ALL"),
      quoted_string: quoteMode === "NON_NUMERIC",
      ...(quoteMode === "NONE" && { quote: "" }),
      ...(withEscape !== undefined && { escape: withEscape }),
    };
    const text = writeRows(withHeader === false ? rows : [[...columns], ...rows], options);
    if (this.#stream !== undefined) this.#stream.write(text);
    else if (this.#file?.append) appendFileSync(this.#file.path, text);
    else if (this.#file !== undefined) writeFileSync(this.#file.path, text);
    else return text;
    return true;
  }

  /** Writes the maps that a function returns, until it returns no map. */
  fromInFn(next: () => unknown): string | true {
    const list: unknown[] = [];
    for (let item = next(); isMap(item); item = next()) list.push(item);
    return this.fromInArray(list);
  }

  fromInString(text: unknown): this {
    this.#source = String(text);
    return this;
  }

  fromInFile(path: string): this {
    return this.fromInString(readFileSync(path, "utf8"));
  }

  fromInStream(stream: InputStream): this {
    return this.fromInString(isInputStream(stream) ? stream.readAll().toString("utf8") : "");
  }

  toOutFile(path: string, append: boolean = false): this {
    this.#file = { path, append };
    return append ? this.setHeader(false) : this;
  }

  toOutStream(stream: OutputStream): this {
    this.#stream = stream;
    return this;
  }

  /** The records as a list of maps. Their values are texts. */
  toOutArray(): Fields[] {
    const records: Fields[] = [];
    this.toOutFn((record) => records.push(record));
    return records;
  }

  /** Calls a function with each record. */
  toOutFn(body: (record: Fields) => unknown): true {
    if (this.#source === undefined) throw "Require 'fromStream'";
    const { withHeader, withHeaders, withDelimiter = ",", withEscape, withNullString } = this.#merged();
    const rows = readRows(this.#source, {
      delimiter: withDelimiter,
      record_delimiter: LINE_BREAKS,
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      ...(withEscape !== undefined && { escape: withEscape }),
    }) as string[][];
    const header = withHeaders ?? (withHeader === false ? undefined : rows.shift());
    for (const row of rows) {
      const value = (text: string): string | null => (text === withNullString ? null : text);
      body(Object.fromEntries(row.map((text, i) => [header?.[i] ?? `f${i}`, value(text)])));
    }
    return true;
  }

  setFormat(format: string): this {
    const name = String(format).toUpperCase();
    if (!Object.hasOwn(FORMATS, name)) {
      throw new Error(`the CSV format "${format}" is not known here: set what differs by withDelimiter and the like`);
    }
    return this.#set({ format: name });
  }

  readonly setHeader = (header: boolean = true): this => this.#set({ withHeader: header });
  readonly withHeaders = (names: readonly string[]): this => this.#set({ withHeaders: names });
  readonly setQuoteMode = (mode: string): this => this.#set({ quoteMode: String(mode).toUpperCase() });
  readonly withDelimiter = (delimiter: string = ","): this => this.#set({ withDelimiter: delimiter });
  readonly withEscape = (char: string = '"'): this => this.#set({ withEscape: char });
  readonly withNull = (text: string = "_NA"): this => this.#set({ withNullString: text });
  readonly getSettings = (): CsvSettings => this.#settings;

  setSettings(settings: CsvSettings): this {
    this.#settings = settings;
    return this;
  }

  #set(settings: CsvSettings): this {
    this.#settings = { ...this.#settings, ...settings };
    return this;
  }

  #merged(): CsvSettings {
    const { format = "DEFAULT" } = this.#settings;
    return { ...FORMATS[format.toUpperCase()], ...this.#settings };
  }
}

function cellOf(value: unknown, none: string): unknown {
  if (value === undefined || value === null) return none;
  if (isDate(value)) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : typeof value === "boolean" ? String(value) : value;
}

/** Begins to read or write CSV. */
export function $csv(settings?: CsvSettings): Csv {
  return new Csv(settings);
}

/** CSV in the form of older job files: `new CSV().toCsv(list)` with a semicolon, and texts in quotes. */
export class CSV {
  #separator = ";";
  #rows: Fields[] = [];
  #columns: readonly string[] = [];

  constructor(text: string = "") {
    if (text !== "") this.fromCSV(text);
  }

  setSeparator(separator: string): void {
    this.#separator = separator;
  }

  clear(): void {
    this.#rows = [];
    this.#columns = [];
  }

  toCsv(list: readonly Fields[], columns?: readonly string[]): void {
    this.#rows = [...list];
    this.#columns = columns ?? Object.keys(list[0] ?? {});
  }

  fromCSV(text: string): void {
    const rows = readRows(text, {
      delimiter: this.#separator,
      record_delimiter: LINE_BREAKS,
      relax_column_count: true,
      skip_empty_lines: true,
      cast: (value, { quoting, header }) =>
        quoting || header || value === "" || Number.isNaN(Number(value)) ? value : Number(value),
    });
    this.#columns = (rows.shift() ?? []).map(String);
    this.#rows = rows.map((row) => Object.fromEntries(this.#columns.map((name, i) => [name, row[i]])));
  }

  csv(): Fields[] {
    return this.#rows;
  }

  /** The text. */
  w(): string {
    const rows = this.#rows.map((row) => this.#columns.map((name) => cellOf(row[name], "")));
    const options = { delimiter: this.#separator, quoted_string: true, eof: false };
    return [this.#columns.join(this.#separator), writeRows(rows, options)].join("\n");
  }

  readFile(path: string): number {
    this.fromCSV(readFileSync(path, "utf8"));
    return this.#rows.length + 1;
  }

  writeFile(path: string): number {
    writeFileSync(path, `${this.w()}\n`);
    return this.#rows.length + 1;
  }
}

/** CSV of a list of maps: `toCSV(list).w()` is the text. */
export function toCSV(list: readonly Fields[]): CSV {
  const csv = new CSV();
  csv.toCsv(list);
  return csv;
}
