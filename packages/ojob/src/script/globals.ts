interface Global {
  readonly value: unknown;
  readonly version: number;
  readonly by: object;
}

/** The data that scripts keep in `global`, carried between the threads of this process. */
export class SharedGlobals {
  readonly #globals = new Map<string, Global>();
  #version = 0;

  /** Takes over what a thread set. */
  set(changed: Readonly<Record<string, unknown>>, by: object): void {
    for (const [name, value] of Object.entries(changed)) {
      this.#globals.set(name, { value, version: ++this.#version, by });
    }
  }

  /** What others than `by` set after `seen`, and what to pass as `seen` the next time. */
  since(seen: number, by: object): { readonly globals: Record<string, unknown>; readonly seen: number } {
    const globals: Record<string, unknown> = {};
    if (seen < this.#version) {
      // Its own are left out: a copy of them would take the place of what the thread is working on.
      for (const [name, one] of this.#globals) if (one.version > seen && one.by !== by) globals[name] = one.value;
    }
    return { globals, seen: this.#version };
  }
}
