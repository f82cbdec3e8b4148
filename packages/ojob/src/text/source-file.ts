/** The text of a job file. */
export class SourceFile {
  /** The name as the user wrote it, for messages. */
  readonly name: string;
  /** The absolute path. For a built-in file, its name. */
  readonly path: string;
  readonly text: string;
  #lines: string[] | undefined;

  constructor(name: string, path: string, text: string) {
    this.name = name;
    this.path = path;
    this.text = text;
  }

  /** The line with that number (from 1), without its line break. */
  line(number: number): string | undefined {
    this.#lines ??= this.text.split(/\r\n|\n|\r/);
    return this.#lines[number - 1];
  }
}
