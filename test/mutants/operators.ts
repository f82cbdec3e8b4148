import ts from "typescript";
import type { Mutant } from "./types.js";

/** An operator, and the text that it puts in place of a node. */
interface Change {
  readonly operator: string;
  readonly node: ts.Node;
  readonly replacement: string;
  /** The target of an anchor, if it is not the node. */
  readonly about?: ts.Node;
}

const SWAPPED: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
  [ts.SyntaxKind.BarBarToken, "&&"],
  [ts.SyntaxKind.PlusToken, "-"],
  [ts.SyntaxKind.MinusToken, "+"],
  [ts.SyntaxKind.AsteriskToken, "/"],
  [ts.SyntaxKind.SlashToken, "*"],
]);

/** All mutants of a source file, in the order of their places. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  return mutantsIn(source, source);
}

/** All mutants of a part of a source file; with `byHand`, also those that only the kept list has. */
export function mutantsIn(source: ts.SourceFile, part: ts.Node, byHand = false): Mutant[] {
  const mutants: Mutant[] = [];
  const visit = (node: ts.Node): void => {
    // Types do not exist when the program runs, and the text of an error is not what the program does.
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || (ts.isTemplateExpression(node) && !byHand)) return;
    for (const change of changes(node)) mutants.push(mutant(source, change));
    if (byHand) for (const change of changesByHand(node)) mutants.push(mutant(source, change));
    ts.forEachChild(node, visit);
  };
  visit(part);
  return mutants;
}

function mutant(source: ts.SourceFile, { operator, node, replacement, about = node }: Change): Mutant {
  const start = node.getStart(source);
  const { line, character } = source.getLineAndCharacterOfPosition(start);
  const name = `${source.fileName}:${line + 1}:${character + 1} ${operator}`;
  const place = { start: about.getStart(source), end: about.getEnd() };
  return { file: source.fileName, name, operator, start, end: node.getEnd(), replacement, about: place };
}

function* changes(node: ts.Node): Generator<Change> {
  yield* conditions(node);
  yield* expressions(node);
  yield* statements(node);
  yield* literals(node);
}

function* conditions(node: ts.Node): Generator<Change> {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) yield negated(node.expression);
  else if (ts.isConditionalExpression(node)) yield { ...negated(node.condition), about: node };
  else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    yield { operator: "drop not", node, replacement: node.operand.getText() };
  }
}

function negated(condition: ts.Expression): Change {
  return { operator: "negate condition", node: condition, replacement: `!(${condition.getText()})` };
}

function* expressions(node: ts.Node): Generator<Change> {
  if (ts.isBinaryExpression(node)) yield* binary(node);
  else if (ts.isCallExpression(node)) yield* calls(node);
  else if (ts.isPropertyAccessExpression(node) && node.questionDotToken !== undefined) {
    yield { operator: "drop ?.", node: node.questionDotToken, replacement: ".", about: node };
  }
}

function* binary(both: ts.BinaryExpression): Generator<Change> {
  const { left, right, operatorToken } = both;
  const swapped = SWAPPED.get(operatorToken.kind);
  if (swapped !== undefined) {
    const operator = `${operatorToken.getText()} to ${swapped}`;
    yield { operator, node: operatorToken, replacement: swapped, about: both };
  }
  if (operatorToken.kind !== ts.SyntaxKind.QuestionQuestionToken) return;
  yield { operator: "?? to its left", node: both, replacement: `(${left.getText()})` };
  yield { operator: "?? to its right", node: both, replacement: `(${right.getText()})` };
}

function* calls({ expression }: ts.CallExpression): Generator<Change> {
  const text = expression.getText();
  if (text === "Math.min") yield { operator: "min to max", node: expression, replacement: "Math.max" };
  if (text === "Math.max") yield { operator: "max to min", node: expression, replacement: "Math.min" };
}

function* statements(node: ts.Node): Generator<Change> {
  if (ts.isExpressionStatement(node)) {
    if (!isSuper(node.expression)) yield { operator: "drop statement", node, replacement: ";" };
    if (ts.isAwaitExpression(node.expression)) {
      yield { operator: "drop await", node, replacement: `void ${node.expression.expression.getText()};` };
    }
  } else if (isJump(node)) {
    yield { operator: "drop statement", node, replacement: ";", about: withIf(node) };
  } else if (ts.isReturnStatement(node) && node.expression === undefined) {
    yield { operator: "drop return", node, replacement: ";", about: withIf(node) };
  }
}

function isJump(node: ts.Node): node is ts.ThrowStatement | ts.BreakOrContinueStatement {
  return ts.isThrowStatement(node) || ts.isContinueStatement(node) || ts.isBreakStatement(node);
}

/** A statement that ends something, with the `if` that it depends on: only that has a name. */
function withIf(node: ts.Statement): ts.Node {
  const { parent } = node;
  const around = ts.isBlock(parent) && parent.statements.length === 1 ? parent.parent : parent;
  return ts.isIfStatement(around) && around.elseStatement === undefined ? around : node;
}

function isSuper(node: ts.Expression): boolean {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
}

function* literals(node: ts.Node): Generator<Change> {
  if (node.kind === ts.SyntaxKind.TrueKeyword) yield { operator: "true to false", node, replacement: "false" };
  else if (node.kind === ts.SyntaxKind.FalseKeyword) yield { operator: "false to true", node, replacement: "true" };
  else if (ts.isNumericLiteral(node) && (node.text === "0" || node.text === "1")) {
    const replacement = node.text === "0" ? "1" : "0";
    yield { operator: `${node.text} to ${replacement}`, node, replacement };
  } else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0 && !isTarget(node)) {
    yield { operator: "empty array", node, replacement: "[]" };
  } else if (ts.isObjectLiteralExpression(node)) {
    for (const field of node.properties) {
      // Nothing would leave a comma behind.
      yield { operator: "drop field", node: field, replacement: "...{}" };
    }
  }
}

/* The rest is only for the kept list: faults that people make, or made, and that would flood a sample. */

/** The constants that an expression can become, beside `true` and `false`. */
const CONSTANTS = ["undefined", "null", "0", "Infinity", "[]", "{}"] as const;

function* changesByHand(node: ts.Node): Generator<Change> {
  if (ts.isBinaryExpression(node)) yield* operands(node);
  else if (ts.isCallExpression(node)) yield* shortenedCalls(node);
  else if (ts.isArrayLiteralExpression(node) && !isTarget(node)) {
    // `...[]` is nothing, and leaves the commas as they are.
    for (const element of node.elements) yield { operator: "drop element", node: element, replacement: "...[]" };
  } else if (ts.isAwaitExpression(node) && !ts.isExpressionStatement(node.parent)) {
    yield { operator: "drop await", node, replacement: `(${node.expression.getText()})` };
  }
  if (isLeftToHand(node)) yield { operator: "drop statement", node, replacement: ";" };
  if (ts.isExpression(node)) yield* values(node);
}

function* values(node: ts.Expression): Generator<Change> {
  if (isCondition(node)) {
    const about = ts.isConditionalExpression(node.parent) ? node.parent : node;
    for (const it of ["true", "false"]) yield { operator: `condition ${it}`, node, replacement: it, about };
  } else if (isOperand(node, CONNECTING)) {
    for (const it of ["true", "false"]) yield { operator: `to ${it}`, node, replacement: it };
  } else if (isOperand(node, SWAPPED)) {
    for (const it of ["0", "Infinity"]) yield { operator: `to ${it}`, node, replacement: it };
  } else if (isValue(node)) {
    for (const it of ["true", "false"]) yield { operator: `to ${it}`, node, replacement: it };
    for (const it of CONSTANTS) yield { operator: `to ${it}`, node, replacement: it === "{}" ? "({})" : it };
  } else return;
  if (isCondition(node) || isOperand(node, CONNECTING)) return;
  for (const sign of ["+", "-"]) {
    yield { operator: `${sign} 1`, node, replacement: `((${node.getText()}) ${sign} 1)` };
  }
}

/** Operators between two conditions. */
const CONNECTING: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.AmpersandAmpersandToken, "&&"],
  [ts.SyntaxKind.BarBarToken, "||"],
]);

/** Operators between two values of which one alone is a value of the same kind. */
const JOINING: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  ...CONNECTING,
  [ts.SyntaxKind.PlusToken, "+"],
  [ts.SyntaxKind.MinusToken, "-"],
  [ts.SyntaxKind.AsteriskToken, "*"],
  [ts.SyntaxKind.SlashToken, "/"],
]);

function isOperand({ parent }: ts.Node, operators: ReadonlyMap<ts.SyntaxKind, string>): boolean {
  if (ts.isBinaryExpression(parent)) return operators.has(parent.operatorToken.kind);
  return operators === CONNECTING && ts.isPrefixUnaryExpression(parent);
}

function* operands(both: ts.BinaryExpression): Generator<Change> {
  const { left, right, operatorToken } = both;
  const { kind } = operatorToken;
  if (kind === ts.SyntaxKind.QuestionQuestionEqualsToken) {
    yield { operator: "??= to =", node: operatorToken, replacement: "=", about: both };
  }
  if (!JOINING.has(kind)) return;
  yield { operator: "drop operand", node: both, replacement: `(${right.getText()})`, about: left };
  yield { operator: "drop operand", node: both, replacement: `(${left.getText()})`, about: right };
}

function* shortenedCalls(node: ts.CallExpression): Generator<Change> {
  const { expression, arguments: given } = node;
  if (ts.isPropertyAccessExpression(expression)) {
    yield { operator: "call to its object", node, replacement: expression.expression.getText() };
  }
  const [first] = given;
  if (first !== undefined) yield { operator: "call to its argument", node, replacement: `(${first.getText()})` };
  for (const one of given) {
    const rest = given.filter((other) => other !== one).map((other) => other.getText());
    const replacement = `${expression.getText()}(${rest.join(", ")})`;
    yield { operator: "drop argument", node, replacement, about: one };
  }
}

/** Statements that a sample leaves in, because it changes their conditions and their parts. */
function isLeftToHand(node: ts.Node): boolean {
  if (ts.isReturnStatement(node)) return node.expression !== undefined;
  if (!ts.isIfStatement(node)) return ts.isIterationStatement(node, false);
  const { thenStatement: then } = node;
  const only = ts.isBlock(then) && then.statements.length === 1 ? then.statements[0] : then;
  // A jump is dropped with its `if` already.
  return only === undefined || !isJump(only) || withIf(only) !== node;
}

/** Whether it is an expression whose value is used, and not a part of another one. */
function isValue(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isCallExpression(parent)) return parent.expression !== node;
  if (ts.isBinaryExpression(parent)) return parent.right === node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent)) return parent.initializer === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isArrowFunction(parent)) return parent.body === node;
  return ts.isReturnStatement(parent) || ts.isConditionalExpression(parent) || ts.isArrayLiteralExpression(parent);
}

function isCondition(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === node;
  return (ts.isConditionalExpression(parent) || ts.isForStatement(parent)) && parent.condition === node;
}

/** Whether it is a destructuring pattern rather than an array. */
function isTarget({ parent }: ts.ArrayLiteralExpression): boolean {
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
}
