/**
 * Writes what a command has to show to stdout. A reader that goes away, as `head` does, has seen what it
 * wanted: that is no error, and changes no exit code. What cannot be written for another reason ends the
 * process with 1.
 */
export function print(text: string): void {
  process.stdout.once("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE")
      process.stderr.write(`ojm: the output cannot be written: ${message}\n`, () => process.exit(1));
  });
  process.stdout.write(text);
}
