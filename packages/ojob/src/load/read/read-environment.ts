import type { EnvironmentLayer, SecretDefinition, SecretUse } from "../job-file.js";
import { child, itemsOf, type Node, textOf } from "../yaml/node.js";

/** The layers of `envFile` and `env` of a checked node. A later one wins. */
export function readEnvironment(node: Node | undefined): EnvironmentLayer[] {
  const files = itemsOf(child(node, "envFile")).flatMap((item): EnvironmentLayer[] => {
    const path = item.kind === "map" ? child(item, "path") : item;
    const text = textOf(path);
    if (path === undefined || text === undefined) return [];
    const required = child(item, "required");
    return [{ file: { text, at: path.at }, required: textOf(required) !== "false" }];
  });
  const env = child(node, "env");
  const variables = (env?.kind === "map" ? env.entries : []).flatMap(({ key, value }) => {
    const text = textOf(value);
    return text === undefined ? [] : [{ name: key, text, at: value.at }];
  });
  return variables.length === 0 ? files : [...files, { variables }];
}

/** The secrets that a file defines, by name, from the checked node of `ojob`. */
export function readSecrets(node: Node | undefined): [string, SecretDefinition][] {
  const secrets = child(node, "secrets");
  return (secrets?.kind === "map" ? secrets.entries : []).map(({ key, keyAt, value }) => {
    const env = textOf(child(value, "env"));
    const file = child(value, "file");
    const path = textOf(file);
    const from = {
      ...(env !== undefined && { env }),
      ...(path !== undefined && { file: { text: path, at: (file ?? value).at } }),
    };
    return [key, { name: key, at: keyAt, ...from }];
  });
}

/** The secrets that a job asks for, from its checked node. */
export function readSecretUses(node: Node): SecretUse[] {
  return itemsOf(child(node, "secrets")).flatMap((item) => {
    const name = item.kind === "map" ? child(item, "name") : item;
    const secret = textOf(name);
    if (name === undefined || secret === undefined) return [];
    const arg = textOf(child(item, "arg"));
    const env = textOf(child(item, "env"));
    return [{ secret, at: name.at, ...(arg !== undefined && { arg }), ...(env !== undefined && { env }) }];
  });
}
