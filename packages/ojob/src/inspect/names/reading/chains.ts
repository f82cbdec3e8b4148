import type { AnyNode } from "acorn";

/** A name, and the fields that are read of it one after the other. */
export interface Chain {
  readonly root: AnyNode & { readonly type: "Identifier" };
  readonly fields: readonly string[];
  /** The call that stands in between: `loadFormat` in `ow.loadFormat().fromDate`. */
  readonly by?: string;
}

/** The chain that `a.b.c` is; `undefined` if it begins with anything else than a name. */
export function chainOf(node: AnyNode): Chain | undefined {
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

/** Whether a call asks if something is there: `isDef(ow.format)`. */
export function isQuestion({ callee }: AnyNode & { type: "CallExpression" }): boolean {
  return callee.type === "Identifier" && /^is(UnDef|Def|Undefined|Defined|Null|Function)$/.test(callee.name);
}

/** What a field is read of, which must be there when the field itself need not be. */
export function holderOf(node: AnyNode): AnyNode {
  return node.type === "MemberExpression" && !node.computed ? node.object : node;
}
