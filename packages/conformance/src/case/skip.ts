/** A case throws it if it finds nothing to test here. */
export class Skip extends Error {
  override readonly name: string = "Skip";
}
