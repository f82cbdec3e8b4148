import { type AnyNode, type Options, parse } from "acorn";
import type { Script } from "./scripts.js";

interface ReadNames {
  readonly walk: NameWalk;
  /** The variables and functions that its statements make global, if it runs as a script of its own. */
  readonly own: readonly string[];
  /** How many lines of the parsed text precede the first line of the script. */
  readonly linesBefore: number;
}

export function readNames({ block, kind }: Script): ReadNames | undefined {
  const parsedAs = kindOf(block.source.path, block.code, kind);
  const parsed = parseText(block.code, parsedAs);
  if (parsed === undefined) return undefined;
  const walk = new NameWalk();
  try {
    const own = walk.statements(parsed.body, parsedAs === "body" ? ["arguments"] : []);
    return { walk, own: parsedAs === "script" ? own : [], linesBefore: parsed.linesBefore };
  } catch (error) {
    // The walk is recursive: deeper nesting than the stack allows stays unread.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function kindOf(path: string, code: string, kind: Script["kind"]): Kind {
  if (kind !== "loaded" && kind !== "module") return "body";
  if (isEsModule(path, code)) return "module";
  return kind === "loaded" ? "script" : "body";
}

const OPTIONS: Options = { ecmaVersion: "latest", sourceType: "script", locations: true, allowHashBang: true };

/** How a text is compiled: as the body of a function, as a script of its own, or as a module. */
type Kind = "body" | "script" | "module";

interface Parsed {
  readonly body: readonly AnyNode[];
  readonly linesBefore: number;
}

/** Parses a text as a script thread compiles it. `undefined` if that fails: the engine reports errors. */
function parseText(text: string, kind: Kind): Parsed | undefined {
  if (kind === "module") return tryToParse(text, { ...OPTIONS, sourceType: "module" });
  if (kind === "script") return tryToParse(text, OPTIONS);
  return parseBody(text, "function") ?? parseBody(text, "async function");
}

/** The body in a function: there `return`, `arguments` and `new.target` mean what they mean in a script. */
function parseBody(text: string, keyword: string): Parsed | undefined {
  const parsed = tryToParse(`(${keyword} () {\n${text}\n})`, OPTIONS);
  const [statement] = parsed?.body ?? [];
  if (statement?.type !== "ExpressionStatement" || statement.expression.type !== "FunctionExpression") return undefined;
  return { body: statement.expression.body.body, linesBefore: 1 };
}

function tryToParse(text: string, options: Options): Parsed | undefined {
  try {
    return { body: parse(text, options).body, linesBefore: 0 };
  } catch (error) {
    // A script that is nested too deeply exhausts the stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function isEsModule(file: string, text: string): boolean {
  return file.endsWith(".mjs") || /^\s*(?:export|import)\b(?!\s*\()/m.test(text);
}

/** A name that is used where nothing in the script declares it. */
export interface FreeName {
  readonly name: string;
  /** The fields that are read from it directly: `format` and `fromDate` in `ow.format.fromDate(x)`. */
  readonly fields: readonly string[];
  /** The call by which OpenAF defines them: `loadFormat` in `ow.loadFormat().fromDate(x)`. */
  readonly by?: string | undefined;
  readonly node: AnyNode;
}

/** Nodes that use no name of the script. */
const NAMELESS = /^(BreakStatement|ContinueStatement|MetaProperty|ImportDeclaration|ExportAllDeclaration)$/;

/** The names of a script, seen from outside. */
class NameWalk {
  readonly free: FreeName[] = [];
  /** Names that the script tests by `typeof`: it knows that they may be missing. */
  readonly tested: Set<string> = new Set();
  readonly defined: Defined = new Defined();

  /** Walks statements. `names` are declared around them. Returns the names that they declare themselves. */
  statements(body: readonly AnyNode[], names: readonly string[] = []): readonly string[] {
    const own = [...hoistedNames(body), ...blockNames(body)];
    this.#all(body, new Scope([...names, ...own]));
    return own;
  }

  #all(nodes: readonly (AnyNode | null | undefined)[], scope: Scope): void {
    for (const node of nodes) if (node) this.#visit(node, scope);
  }

  #visit(node: AnyNode, scope: Scope): void {
    const { type } = node;
    if (type === "Identifier") {
      if (!scope.has(node.name)) this.free.push({ name: node.name, fields: [], node });
    } else if (type === "MemberExpression") this.#member(node, scope);
    else if (type === "Property" || type === "MethodDefinition" || type === "PropertyDefinition") {
      this.#all([node.computed ? node.key : undefined, node.value], scope);
    } else if (type === "LabeledStatement") this.#visit(node.body, scope);
    else if (type === "ExportNamedDeclaration") {
      for (const name of exportedNames(node)) this.defined.exports.add(name);
      if (!node.source) this.#all([node.declaration, ...node.specifiers.map((one) => one.local)], scope);
    } else if (type === "UnaryExpression") this.#unary(node, scope);
    else if (type === "CallExpression") {
      this.defined.call(node, scope);
      // Testing whether a field exists is not a fault.
      this.#visit(node.callee, scope);
      this.#all(isQuestion(node) ? node.arguments.map(holderOf) : node.arguments, scope);
    } else if (!NAMELESS.test(type)) this.#assigning(node, scope);
  }

  #member(node: AnyNode & { type: "MemberExpression" }, scope: Scope): void {
    const chain = chainOf(node);
    if (chain === undefined || chain.by !== undefined) this.#visit(node.object, scope);
    if (chain !== undefined && !scope.has(chain.root.name)) {
      const { root, fields, by } = chain;
      this.free.push({ name: root.name, fields, by, node: root });
    }
    if (node.computed) this.#visit(node.property, scope);
  }

  #unary({ operator, argument }: AnyNode & { type: "UnaryExpression" }, scope: Scope): void {
    if (argument.type !== "Identifier") this.#visit(operator === "typeof" ? holderOf(argument) : argument, scope);
    else if (operator === "typeof") this.tested.add(argument.name);
    // Deleting an undefined name is not a fault.
    else if (operator !== "delete") this.#visit(argument, scope);
  }

  #assigning(node: AnyNode, scope: Scope): void {
    const { type } = node;
    if (type === "AssignmentExpression") {
      const { left, right, operator } = node;
      // `x += 1` reads x first. `x = 1` defines it.
      if (operator !== "=" && left.type === "Identifier") this.#visit(left, scope);
      else this.#target(left, right, scope);
      this.#visit(right, scope);
    } else if (type === "VariableDeclarator") {
      this.#target(node.id, undefined, scope);
      this.#all([node.init], scope);
    } else if (type === "ForInStatement" || type === "ForOfStatement") {
      const inner = new Scope(blockNames([node.left]), scope);
      if (node.left.type === "VariableDeclaration") this.#visit(node.left, inner);
      else this.#target(node.left, undefined, inner);
      this.#all([node.right, node.body], inner);
    } else this.#scoped(node, scope);
  }

  /** The target of an assignment or declaration: a name, a field, or a pattern of them with defaults. */
  #target(node: AnyNode, value: AnyNode | undefined, scope: Scope): void {
    const { type } = node;
    if (type === "Identifier") {
      if (!scope.has(node.name)) this.defined.globals.add(node.name);
    } else if (type === "MemberExpression") {
      this.defined.assign(node, value, scope);
      this.#field(node, scope);
    } else if (type === "AssignmentPattern") {
      this.#target(node.left, undefined, scope);
      this.#visit(node.right, scope);
    } else if (type === "Property") {
      if (node.computed) this.#visit(node.key, scope);
      this.#target(node.value, undefined, scope);
    } else for (const one of childrenOf(node)) this.#target(one, undefined, scope);
  }

  /** A field that is set: it exists from there on. */
  #field(node: AnyNode & { type: "MemberExpression" }, scope: Scope): void {
    const chain = chainOf(node);
    if (chain !== undefined && !scope.has(chain.root.name)) {
      this.defined.globals.add([chain.root.name, ...chain.fields].join("."));
    }
    this.#visit(node.object, scope);
    if (node.computed) this.#visit(node.property, scope);
  }

  #scoped(node: AnyNode, scope: Scope): void {
    const { type } = node;
    if (type === "BlockStatement") this.#all(node.body, new Scope(blockNames(node.body), scope));
    else if (type === "StaticBlock") {
      this.#all(node.body, new Scope([...hoistedNames(node.body), ...blockNames(node.body)], scope));
    } else if (type === "ForStatement") {
      this.#all(childrenOf(node), new Scope(node.init ? blockNames([node.init]) : [], scope));
    } else if (type === "SwitchStatement") {
      this.#visit(node.discriminant, scope);
      this.#all(node.cases, new Scope(blockNames(node.cases.flatMap((one) => one.consequent)), scope));
    } else if (type === "CatchClause") {
      const inner = new Scope(node.param ? boundNames(node.param) : [], scope);
      if (node.param) this.#target(node.param, undefined, inner);
      this.#visit(node.body, inner);
    } else if (type === "WithStatement") {
      this.#visit(node.object, scope);
      this.#visit(node.body, new Scope([], scope, { open: true }));
    } else if (type === "ClassDeclaration" || type === "ClassExpression") {
      this.#all([node.superClass, node.body], new Scope(node.id ? [node.id.name] : [], scope, { atTop: false }));
    } else if (isFunction(node)) this.#function(node, scope);
    else this.#all(childrenOf(node), scope);
  }

  #function(node: FunctionNode, scope: Scope): void {
    const isArrow = node.type === "ArrowFunctionExpression";
    const own = [
      ...node.params.flatMap(boundNames),
      ...(isArrow ? [] : ["arguments"]),
      ...(node.id ? [node.id.name] : []),
    ];
    const inner = new Scope([...own, ...hoistedNames([node.body])], scope, isArrow ? {} : { atTop: false });
    for (const parameter of node.params) this.#target(parameter, undefined, inner);
    this.#visit(node.body, inner);
  }
}

class Scope {
  readonly #names: Set<string>;
  readonly #parent: Scope | undefined;
  /** Whether `this` is the global object here. */
  readonly atTop: boolean;
  /** Whether any name may be defined here, as in the body of `with`. */
  readonly #open: boolean;

  constructor(names: Iterable<string>, parent?: Scope, options: { atTop?: boolean; open?: boolean } = {}) {
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

/** The names that a script defines outside itself. */
class Defined {
  /** Variables of `global`. */
  readonly globals: Set<string> = new Set();
  /** The exports of its module. */
  readonly exports: Set<string> = new Set();
  /** Whether it may set variables of `global` that only a run shows. */
  unknownGlobals: boolean = false;
  /** Whether it may export more names than are written out. */
  unknownExports: boolean = false;
  /** Whether it evaluates texts, which may declare any name. */
  evaluates: boolean = false;

  /** Records an assignment to a field. `scope` is where it stands. */
  assign(target: AnyNode & { type: "MemberExpression" }, value: AnyNode | undefined, scope: Scope): void {
    const { object, property, computed } = target;
    const name = computed ? literalOf(property) : property.type === "Identifier" ? property.name : undefined;
    if (isGlobal(object, scope)) this.unknownGlobals ||= !add(this.globals, name);
    else if (isName(object, "exports") || isModuleExports(object)) this.unknownExports ||= !add(this.exports, name);
    else if (isName(object, "module") && name === "exports") this.unknownExports ||= !addFields(this.exports, value);
  }

  /** Records a call that may write to `global`. */
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

export function isName(node: AnyNode | undefined, name: string): boolean {
  return node?.type === "Identifier" && node.name === name;
}

function literalOf(node: AnyNode | undefined): string | undefined {
  return node?.type === "Literal" ? String(node.value) : undefined;
}

function keyOf(node: AnyNode): string | undefined {
  return node.type === "Identifier" ? node.name : literalOf(node);
}

/** A name, and the fields that are read from it one after the other. */
interface Chain {
  readonly root: AnyNode & { readonly type: "Identifier" };
  readonly fields: readonly string[];
  /** The call that stands in between: `loadFormat` in `ow.loadFormat().fromDate`. */
  readonly by?: string;
}

/** Reads a node such as `a.b.c` as a chain. `undefined` if it does not begin with a name. */
function chainOf(node: AnyNode): Chain | undefined {
  if (node.type === "Identifier") return { root: node, fields: [] };
  if (node.type === "CallExpression") return partOf(node);
  if (node.type !== "MemberExpression" || node.computed || node.property.type !== "Identifier") return undefined;
  const before = chainOf(node.object);
  return before && { ...before, fields: [...before.fields, node.property.name] };
}

/** In OpenAF `ow.loadFormat()` returns `ow.format`. */
function partOf({ callee }: AnyNode & { type: "CallExpression" }): Chain | undefined {
  const chain = callee.type === "MemberExpression" ? chainOf(callee) : undefined;
  const [by = "", letter = "", rest = ""] = /^load([A-Z])(\w*)$/.exec(chain?.fields.join(".") ?? "") ?? [];
  if (chain?.root.name !== "ow" || letter === "") return undefined;
  return { root: chain.root, fields: [letter.toLowerCase() + rest], by };
}

/** Whether a call tests if something exists: `isDef(ow.format)`. */
function isQuestion({ callee }: AnyNode & { type: "CallExpression" }): boolean {
  return callee.type === "Identifier" && /^is(UnDef|Def|Undefined|Defined|Null|Function)$/.test(callee.name);
}

/** The object of a field: it must exist even if the field need not. */
function holderOf(node: AnyNode): AnyNode {
  return node.type === "MemberExpression" && !node.computed ? node.object : node;
}

function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((one): one is AnyNode => typeof one === "object" && one !== null && typeof one.type === "string");
}

function boundNames(pattern: AnyNode): string[] {
  const { type } = pattern;
  if (type === "Identifier") return [pattern.name];
  if (type === "AssignmentPattern") return boundNames(pattern.left);
  if (type === "Property") return boundNames(pattern.value);
  if (type !== "ObjectPattern" && type !== "ArrayPattern" && type !== "RestElement") return [];
  return childrenOf(pattern).flatMap(boundNames);
}

/** The names that belong to a whole function: `var`, and functions, which leave blocks in sloppy code. */
function hoistedNames(nodes: readonly AnyNode[]): string[] {
  return nodes.flatMap((node) => {
    if (node.type === "FunctionDeclaration") return node.id ? [node.id.name] : [];
    if (isFunction(node) || node.type === "ClassBody") return [];
    const own = node.type === "VariableDeclaration" && node.kind === "var" ? node.declarations : [];
    return [...own.flatMap(({ id }) => boundNames(id)), ...hoistedNames(childrenOf(node))];
  });
}

function blockNames(statements: readonly AnyNode[]): string[] {
  return statements.flatMap((node): string[] => {
    if (node.type === "VariableDeclaration" && node.kind !== "var") {
      return node.declarations.flatMap(({ id }) => boundNames(id));
    }
    if (node.type === "ClassDeclaration" || node.type === "FunctionDeclaration") return node.id ? [node.id.name] : [];
    if (node.type === "ImportDeclaration") return node.specifiers.map(({ local }) => local.name);
    if (node.type !== "ExportNamedDeclaration" && node.type !== "ExportDefaultDeclaration") return [];
    return node.declaration ? blockNames([node.declaration]) : [];
  });
}

/** The names that an `export` of a module gives to others. */
function exportedNames({ declaration, specifiers }: AnyNode & { type: "ExportNamedDeclaration" }): string[] {
  const declared = declaration ? [...blockNames([declaration]), ...hoistedNames([declaration])] : [];
  const named = specifiers.map(({ exported }) =>
    exported.type === "Identifier" ? exported.name : `${exported.value}`,
  );
  return [...declared, ...named];
}

type FunctionNode = AnyNode & { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" };

function isFunction(node: AnyNode): node is FunctionNode {
  return /^(Function(Declaration|Expression)|ArrowFunctionExpression)$/.test(node.type);
}
