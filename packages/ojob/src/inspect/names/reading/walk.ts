import type { AnyNode } from "acorn";
import { chainOf, holderOf, isQuestion } from "./chains.js";
import { Defined } from "./global-writes.js";
import { blockNames, boundNames, childrenOf, exportedNames, hoistedNames } from "./patterns.js";
import { Scope } from "./scope.js";

/** A name that is used where nothing in the script declares it. */
export interface FreeName {
  readonly name: string;
  /** The fields that are read of it at once: `format` and `fromDate` in `ow.format.fromDate(x)`. */
  readonly fields: readonly string[];
  /** The call by which OpenAF makes them known: `loadFormat` in `ow.loadFormat().fromDate(x)`. */
  readonly by?: string | undefined;
  readonly node: AnyNode;
}

/** The names of a script, seen from outside. */
export class NameWalk {
  readonly free: FreeName[] = [];
  /** Names whose existence the script asks for by `typeof`: it knows that they may be missing. */
  readonly asked: Set<string> = new Set();
  readonly defined: Defined = new Defined();

  /** Walks statements. `names` are what they find declared. Returns what they declare themselves. */
  statements(body: readonly AnyNode[], names: readonly string[] = []): readonly string[] {
    const own = [...hoistedNames(body), ...blockNames(body)];
    this.#all(body, new Scope([...names, ...own]));
    return own;
  }

  #all(nodes: readonly (AnyNode | null | undefined)[], scope: Scope): void {
    for (const node of nodes) if (node) this.#visit(node, scope);
  }

  #visit(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case "Identifier":
        if (!scope.has(node.name)) this.free.push({ name: node.name, fields: [], node });
        return;
      case "MemberExpression":
        this.#member(node, scope);
        return;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        this.#all([node.computed ? node.key : undefined, node.value], scope);
        return;
      case "LabeledStatement":
        this.#visit(node.body, scope);
        return;
      case "BreakStatement":
      case "ContinueStatement":
      case "MetaProperty":
      case "ImportDeclaration":
      case "ExportAllDeclaration":
        return;
      case "ExportNamedDeclaration":
        for (const name of exportedNames(node)) this.defined.exports.add(name);
        if (node.source) return;
        this.#all([node.declaration, ...node.specifiers.map((one) => one.local)], scope);
        return;
      case "UnaryExpression":
        this.#unary(node, scope);
        return;
      case "CallExpression":
        this.defined.call(node, scope);
        // Whether a field is there may be asked.
        this.#visit(node.callee, scope);
        this.#all(isQuestion(node) ? node.arguments.map(holderOf) : node.arguments, scope);
        return;
      default:
        this.#assigning(node, scope);
        return;
    }
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
    else if (operator === "typeof") this.asked.add(argument.name);
    // To delete a name that is not there is no fault.
    else if (operator !== "delete") this.#visit(argument, scope);
  }

  #assigning(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case "AssignmentExpression": {
        const { left, right, operator } = node;
        // `x += 1` reads x first; `x = 1` makes it.
        if (operator !== "=" && left.type === "Identifier") this.#visit(left, scope);
        else this.#target(left, right, scope);
        this.#visit(right, scope);
        return;
      }
      case "VariableDeclarator":
        this.#target(node.id, undefined, scope);
        this.#all([node.init], scope);
        return;
      case "ForInStatement":
      case "ForOfStatement": {
        const inner = new Scope(blockNames([node.left]), scope);
        if (node.left.type === "VariableDeclaration") this.#visit(node.left, inner);
        else this.#target(node.left, undefined, inner);
        this.#all([node.right, node.body], inner);
        return;
      }
      default:
        this.#scoped(node, scope);
        return;
    }
  }

  /** What is assigned to or declared: a name, a field, or a pattern of them with defaults. */
  #target(node: AnyNode, value: AnyNode | undefined, scope: Scope): void {
    switch (node.type) {
      case "Identifier":
        if (!scope.has(node.name)) this.defined.globals.add(node.name);
        return;
      case "MemberExpression":
        this.defined.assign(node, value, scope);
        this.#field(node, scope);
        return;
      case "AssignmentPattern":
        this.#target(node.left, undefined, scope);
        this.#visit(node.right, scope);
        return;
      case "Property":
        if (node.computed) this.#visit(node.key, scope);
        this.#target(node.value, undefined, scope);
        return;
      case "RestElement":
        this.#target(node.argument, undefined, scope);
        return;
      default:
        for (const one of childrenOf(node)) this.#target(one, undefined, scope);
    }
  }

  /** A field that is set: from there on it is there. */
  #field(node: AnyNode & { type: "MemberExpression" }, scope: Scope): void {
    const chain = chainOf(node);
    if (chain !== undefined && !scope.has(chain.root.name)) {
      this.defined.globals.add([chain.root.name, ...chain.fields].join("."));
    }
    this.#visit(node.object, scope);
    if (node.computed) this.#visit(node.property, scope);
  }

  #scoped(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case "BlockStatement":
        this.#all(node.body, new Scope(blockNames(node.body), scope));
        return;
      case "StaticBlock":
        this.#all(node.body, new Scope([...hoistedNames(node.body), ...blockNames(node.body)], scope));
        return;
      case "ForStatement":
        this.#all(childrenOf(node), new Scope(node.init ? blockNames([node.init]) : [], scope));
        return;
      case "SwitchStatement": {
        const inner = new Scope(blockNames(node.cases.flatMap((one) => one.consequent)), scope);
        this.#visit(node.discriminant, scope);
        this.#all(node.cases, inner);
        return;
      }
      case "CatchClause": {
        const inner = new Scope(node.param ? boundNames(node.param) : [], scope);
        if (node.param) this.#target(node.param, undefined, inner);
        this.#visit(node.body, inner);
        return;
      }
      case "WithStatement":
        this.#visit(node.object, scope);
        this.#visit(node.body, new Scope([], scope, { open: true }));
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        this.#all([node.superClass, node.body], new Scope(node.id ? [node.id.name] : [], scope, { atTop: false }));
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        this.#function(node, scope);
        return;
      default:
        this.#all(childrenOf(node), scope);
        return;
    }
  }

  #function(
    node: AnyNode & { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" },
    scope: Scope,
  ): void {
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
