interface Global {
  readonly value: unknown;
  readonly version: number;
  readonly by: object;
}

/** The data that scripts keep in `global`, carried between the threads of this process. */
export class SharedGlobals {
  readonly #globals = new Map<string, Global>();
  #version = 0;
  readonly #told = new Set<string>();

  /** Stores what a thread has set. */
  set(changed: Readonly<Record<string, unknown>>, by: object): void {
    for (const [name, value] of Object.entries(changed)) {
      this.#globals.set(name, { value, version: ++this.#version, by });
    }
  }

  /** Of the globals that only the script that set them sees, those that nobody was told of. */
  untold(unshared: readonly string[]): string[] {
    const names = unshared.filter((name) => !this.#told.has(name));
    for (const name of names) this.#told.add(name);
    return names;
  }

  /**
   * Returns what other threads than `by` have set after `seen`, and the value to pass as `seen` next time.
   */
  since(seen: number, by: object): { readonly globals: Record<string, unknown>; readonly seen: number } {
    const globals: Record<string, unknown> = {};
    if (seen < this.#version) {
      // Omit the globals of the thread itself: a copy would replace the object that the thread works on.
      for (const [name, one] of this.#globals) if (one.version > seen && one.by !== by) globals[name] = one.value;
    }
    return { globals, seen: this.#version };
  }
}
