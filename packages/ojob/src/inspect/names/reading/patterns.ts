import type { AnyNode } from "acorn";

/** The nodes right below a node, in the order of the text. */
export function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((one): one is AnyNode => typeof one === "object" && one !== null && typeof one.type === "string");
}

/** The names that a pattern of a declaration binds. */
export function boundNames(pattern: AnyNode): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((one) => boundNames(one.type === "Property" ? one.value : one));
    case "ArrayPattern":
      return pattern.elements.flatMap((one) => (one === null ? [] : boundNames(one)));
    case "AssignmentPattern":
      return boundNames(pattern.left);
    case "RestElement":
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

/**
 * The names that belong to a whole function, wherever in it they are declared: `var`, and functions, which
 * leave their blocks in sloppy code.
 */
export function hoistedNames(nodes: readonly AnyNode[]): string[] {
  return nodes.flatMap((node) => {
    if (node.type === "FunctionDeclaration") return node.id ? [node.id.name] : [];
    if (isFunction(node) || node.type === "ClassBody") return [];
    const own = node.type === "VariableDeclaration" && node.kind === "var" ? node.declarations : [];
    return [...own.flatMap(({ id }) => boundNames(id)), ...hoistedNames(childrenOf(node))];
  });
}

/** The names that belong to the block of these statements. */
export function blockNames(statements: readonly AnyNode[]): string[] {
  return statements.flatMap((node): string[] => {
    if (node.type === "VariableDeclaration" && node.kind !== "var") {
      return node.declarations.flatMap(({ id }) => boundNames(id));
    }
    if (node.type === "ClassDeclaration" || node.type === "FunctionDeclaration") return node.id ? [node.id.name] : [];
    if (node.type === "ImportDeclaration") return node.specifiers.map(({ local }) => local.name);
    return isExport(node) && node.declaration ? blockNames([node.declaration]) : [];
  });
}

/** The names that an `export` of a module gives to others. */
export function exportedNames({ declaration, specifiers }: AnyNode & { type: "ExportNamedDeclaration" }): string[] {
  const declared = declaration ? [...blockNames([declaration]), ...hoistedNames([declaration])] : [];
  const named = specifiers.map(({ exported }) =>
    exported.type === "Identifier" ? exported.name : `${exported.value}`,
  );
  return [...declared, ...named];
}

/** Whether the node is a function of any kind. */
export function isFunction(node: AnyNode): boolean {
  return /^(Function(Declaration|Expression)|ArrowFunctionExpression)$/.test(node.type);
}

type Export = Extract<AnyNode, { type: "ExportNamedDeclaration" | "ExportDefaultDeclaration" }>;

function isExport(node: AnyNode): node is Export {
  return node.type === "ExportNamedDeclaration" || node.type === "ExportDefaultDeclaration";
}
