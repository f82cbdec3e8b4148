interface ScopeOptions {
  readonly atTop?: boolean;
  readonly open?: boolean;
}

/** The names that a part of a script declares, inside of the parts around it. */
export class Scope {
  readonly #names: Set<string>;
  readonly #parent: Scope | undefined;
  /** Whether `this` is the global object here. */
  readonly atTop: boolean;
  /** Whether any name may be defined here, as in the body of `with`. */
  readonly #open: boolean;

  constructor(names: Iterable<string>, parent?: Scope, options: ScopeOptions = {}) {
    const { atTop = parent?.atTop ?? true, open = false } = options;
    this.#names = new Set(names);
    this.#parent = parent;
    this.atTop = atTop;
    this.#open = open;
  }

  has(name: string): boolean {
    return this.#open || this.#names.has(name) || (this.#parent?.has(name) ?? false);
  }
}
