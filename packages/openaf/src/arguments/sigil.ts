import { getPath, getPathIgnoringCase, setPath, unsetPath } from "../data/maps.js";
import * as types from "../data/types.js";

/** Tests of a value, and access to its parts by paths: `$$(map).get("a.b[0]")`. */
class Sigil {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  get(path: string): unknown {
    return getPath(this.#value, path);
  }

  getI(path: string): unknown {
    return getPathIgnoringCase(this.#value, path);
  }

  /** Sets it in the value itself, which is returned. */
  set(path: string, value: unknown): unknown {
    return setPath(this.#value, path, value);
  }

  /** Deletes it in the value itself, which is returned. */
  unset(path: string): unknown {
    return unsetPath(this.#value, path);
  }

  isDef(): boolean {
    return this.#value !== undefined;
  }

  isUnDef(): boolean {
    return this.#value === undefined;
  }

  isNull(): boolean {
    return types.isNull(this.#value);
  }

  isArray(): boolean {
    return Array.isArray(this.#value);
  }

  isMap(): boolean {
    return types.isMap(this.#value);
  }

  isObject(): boolean {
    return types.isObject(this.#value);
  }

  isFunction(): boolean {
    return typeof this.#value === "function";
  }

  isString(): boolean {
    return types.isString(this.#value);
  }

  isNumber(): boolean {
    return types.isNumber(this.#value);
  }

  isTNumber(): boolean {
    return types.isTNumber(this.#value);
  }

  isBoolean(): boolean {
    return types.isBoolean(this.#value);
  }

  isDate(): boolean {
    return types.isDate(this.#value);
  }

  isRegExp(): boolean {
    return this.#value instanceof RegExp;
  }

  isUUID(): boolean {
    return types.isUUID(this.#value);
  }
}

/** Begins a test of a value. */
export function $$(value?: unknown): Sigil {
  return new Sigil(value);
}
