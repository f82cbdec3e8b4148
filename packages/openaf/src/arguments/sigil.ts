import { getPath, getPathIgnoringCase, setPath, unsetPath } from "../data/maps.js";
import { isBoolean, isDate, isMap, isNull, isNumber, isObject, isString, isTNumber, isUUID } from "../data/types.js";

const TESTS = {
  isNull: (value: unknown): boolean => isNull(value),
  isMap: (value: unknown): boolean => isMap(value),
  isObject: (value: unknown): boolean => isObject(value),
  isString: (value: unknown): boolean => isString(value),
  isNumber: (value: unknown): boolean => isNumber(value),
  isTNumber: (value: unknown): boolean => isTNumber(value),
  isBoolean: (value: unknown): boolean => isBoolean(value),
  isDate: (value: unknown): boolean => isDate(value),
  isUUID: (value: unknown): boolean => isUUID(value),
  isDef: (value: unknown): boolean => value !== undefined,
  isUnDef: (value: unknown): boolean => value === undefined,
  isArray: (value: unknown): boolean => Array.isArray(value),
  isFunction: (value: unknown): boolean => typeof value === "function",
  isRegExp: (value: unknown): boolean => value instanceof RegExp,
};

/** Tests of a value, and access to its parts by paths: `$$(map).get("a.b[0]")`. */
type Sigil = Paths & Readonly<Record<keyof typeof TESTS, () => boolean>>;

class Paths {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  static {
    for (const [name, test] of Object.entries(TESTS)) {
      const value = function (this: Paths): boolean {
        return test(this.#value);
      };
      Object.defineProperty(Paths.prototype, name, { value, writable: true, configurable: true });
    }
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
}

/** Begins a test of a value. */
export function $$(value?: unknown): Sigil {
  return new Paths(value) as Sigil;
}
