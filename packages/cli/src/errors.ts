/** Something on the command line that cannot be done. The program ends with exit code 2. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}
