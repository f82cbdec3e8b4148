/** Thrown by a case that finds that it has nothing to test here. */
export class Skip extends Error {
  override readonly name: string = "Skip";
}
