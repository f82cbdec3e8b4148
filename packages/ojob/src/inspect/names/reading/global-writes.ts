import type { AnyNode } from "acorn";
import type { Scope } from "./scope.js";

/** What a script defines outside of itself. */
export class Defined {
  /** Variables of `global`. */
  readonly globals: Set<string> = new Set();
  /** What its module exports. */
  readonly exports: Set<string> = new Set();
  /** Whether it may set variables of `global` that only a run shows. */
  unknownGlobals: boolean = false;
  /** Whether it may export more than is written out. */
  unknownExports: boolean = false;
  /** Whether it evaluates texts, which may declare what they like. */
  evaluates: boolean = false;

  /** Takes note of an assignment to a field. `scope` is where it stands. */
  assign(target: AnyNode & { type: "MemberExpression" }, value: AnyNode | undefined, scope: Scope): void {
    const { object, property, computed } = target;
    const name = computed ? literalOf(property) : property.type === "Identifier" ? property.name : undefined;
    if (isGlobal(object, scope)) this.unknownGlobals ||= !add(this.globals, name);
    else if (isName(object, "exports") || isModuleExports(object)) this.unknownExports ||= !add(this.exports, name);
    else if (isName(object, "module") && name === "exports") this.unknownExports ||= !addFields(this.exports, value);
  }

  /** Takes note of a call that may write to `global`. */
  call({ callee, arguments: given }: AnyNode & { type: "CallExpression" }, scope: Scope): void {
    if (isName(callee, "eval") && !scope.has("eval")) this.evaluates = true;
    const [first, second] = given;
    if (!given.some((one) => isGlobal(one, scope))) return;
    const method = callee.type === "MemberExpression" && isName(callee.object, "Object") ? callee.property : undefined;
    if (first === undefined || !isGlobal(first, scope)) this.unknownGlobals = true;
    else if (isName(method, "defineProperty")) this.unknownGlobals ||= !add(this.globals, literalOf(second));
    else if (isName(method, "assign")) for (const one of given.slice(1)) this.#globalFields(one);
    else if (isName(method, "defineProperties")) this.#globalFields(second);
    // Any other function may set what it likes; those of Object, and questions (`isDef(global)`), only read.
    else if (method === undefined && !(callee.type === "Identifier" && /^is[A-Z]/.test(callee.name))) {
      this.unknownGlobals = true;
    }
  }

  #globalFields(value: AnyNode | undefined): void {
    if (!addFields(this.globals, value)) this.unknownGlobals = true;
  }
}

/** Adds a name. Returns whether it is known. */
function add(names: Set<string>, name: string | undefined): boolean {
  if (name !== undefined) names.add(name);
  return name !== undefined;
}

/** Adds the fields of a map. Returns whether all of them are written out. */
function addFields(names: Set<string>, value: AnyNode | undefined): boolean {
  if (value?.type !== "ObjectExpression") return false;
  return value.properties
    .map((field) => field.type === "Property" && add(names, field.computed ? literalOf(field.key) : keyOf(field.key)))
    .every(Boolean);
}

function isGlobal(node: AnyNode, scope: Scope): boolean {
  if (node.type === "ThisExpression") return scope.atTop;
  return node.type === "Identifier" && /^(global|globalThis)$/.test(node.name) && !scope.has(node.name);
}

function isModuleExports(node: AnyNode): boolean {
  return node.type === "MemberExpression" && isName(node.object, "module") && isName(node.property, "exports");
}

function isName(node: AnyNode | undefined, name: string): boolean {
  return node?.type === "Identifier" && node.name === name;
}

function literalOf(node: AnyNode | undefined): string | undefined {
  return node?.type === "Literal" ? String(node.value) : undefined;
}

function keyOf(node: AnyNode): string | undefined {
  return node.type === "Identifier" ? node.name : literalOf(node);
}
