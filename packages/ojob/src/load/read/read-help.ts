import type { Help, HelpArgument } from "../job-file.js";
import { child, itemsOf, type Node, textOf, toValue } from "../yaml/node.js";

/** Reads a `help` from a checked node: a text, or a map. */
export function readHelp(node: Node | undefined): Help | undefined {
  if (node === undefined) return undefined;
  const text = textOf(node.kind === "map" ? child(node, "text") : node)?.trim();
  return {
    ...(text && { text }),
    expects: itemsOf(child(node, "expects")).flatMap(readArgument),
    returns: itemsOf(child(node, "returns")).flatMap(readArgument),
  };
}

function readArgument(node: Node): HelpArgument[] {
  const name = textOf(child(node, "name"));
  if (name === undefined) return [];
  const desc = textOf(child(node, "desc"))?.trim();
  const example = child(node, "example");
  const options = itemsOf(child(node, "options") ?? child(node, "moptions")).flatMap((item) => textOf(item) ?? []);
  return [
    {
      name,
      at: node.at,
      ...(desc && { desc }),
      mandatory: isTrue(child(node, "mandatory")) || isTrue(child(node, "required")),
      ...(example && { example: textOf(example) ?? JSON.stringify(toValue(example)) }),
      ...(options.length > 0 && { options }),
      secret: isTrue(child(node, "secret")),
    },
  ];
}

function isTrue(node: Node | undefined): boolean {
  return node?.kind === "scalar" && node.value === true;
}
