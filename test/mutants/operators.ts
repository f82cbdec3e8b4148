import ts from "typescript";
import type { Mutant } from "./types.js";

/** An operator, and the text that it puts in place of a node. */
interface Change {
  readonly operator: string;
  readonly node: ts.Node;
  readonly replacement: string;
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
  const mutants: Mutant[] = [];
  const visit = (node: ts.Node): void => {
    // Types are gone when the program runs, and what an error says is not what it does.
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isTemplateExpression(node)) return;
    for (const change of changes(node)) mutants.push(mutant(source, change));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return mutants;
}

function mutant(source: ts.SourceFile, { operator, node, replacement }: Change): Mutant {
  const start = node.getStart(source);
  const { line, character } = source.getLineAndCharacterOfPosition(start);
  const name = `${source.fileName}:${line + 1}:${character + 1} ${operator}`;
  return { file: source.fileName, name, operator, start, end: node.getEnd(), replacement };
}

function* changes(node: ts.Node): Generator<Change> {
  yield* conditions(node);
  yield* expressions(node);
  yield* statements(node);
  yield* literals(node);
}

function* conditions(node: ts.Node): Generator<Change> {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) yield negated(node.expression);
  else if (ts.isConditionalExpression(node)) yield negated(node.condition);
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
    yield { operator: "drop ?.", node: node.questionDotToken, replacement: "." };
  }
}

function* binary({ left, right, operatorToken }: ts.BinaryExpression): Generator<Change> {
  const swapped = SWAPPED.get(operatorToken.kind);
  if (swapped !== undefined) {
    yield { operator: `${operatorToken.getText()} to ${swapped}`, node: operatorToken, replacement: swapped };
  }
  if (operatorToken.kind !== ts.SyntaxKind.QuestionQuestionToken) return;
  const both = left.parent;
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
  } else if (ts.isThrowStatement(node) || ts.isContinueStatement(node) || ts.isBreakStatement(node)) {
    yield { operator: "drop statement", node, replacement: ";" };
  } else if (ts.isReturnStatement(node) && node.expression === undefined) {
    yield { operator: "drop return", node, replacement: ";" };
  }
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

/** Whether it is no array, but what one is taken apart into. */
function isTarget({ parent }: ts.ArrayLiteralExpression): boolean {
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
}
