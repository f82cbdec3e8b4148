import type { Args, ChannelDefinition, CodeBlock, LogFiles, PlacedText, Settings } from "../job-file.js";
import { child, itemsOf, type Node, textOf, toMap } from "../yaml/node.js";
import { readEnvironment, readSecrets } from "./read-environment.js";
import { readNotify } from "./read-notify.js";
import { codeBlock } from "./read-values.js";

/** Reads the `ojob` section from a checked node. */
export function readSettings(node: Node | undefined): Settings {
  const whenFailed = codeBlock(child(node, "catch") ?? child(node, "onerror"));
  const loads = child(node, "loads");
  const channels = child(child(node, "channels"), "create");
  const logs = child(node, "logToFile");
  const unique = child(node, "unique");
  const environment = readEnvironment(node);
  const secrets = readSecrets(node);
  const notify = readNotify(child(node, "notify"));
  // What is written under these names is of another kind, or has no effect.
  const { environment: _, secrets: __, notify: ___, ...plain } = toMap(node);
  return {
    ...(plain as Settings),
    ...(loads && { loads: placedTexts(loads) }),
    ...(logs && {
      logToFile: { ...(toMap(logs) as Partial<LogFiles>), logFolder: placedText(logs, "logFolder", ".") },
    }),
    ...(unique && { unique: { ...toMap(unique), pidFile: placedText(unique, "pidFile", "ojob.pid") } }),
    ...(channels && { channels: { create: itemsOf(channels).flatMap(readChannel) } }),
    ...(whenFailed && { catch: whenFailed }),
    ...(notify && { notify }),
    ...(environment.length > 0 && { environment }),
    ...(secrets.length > 0 && { secrets: new Map(secrets) }),
  };
}

/** The settings of a file over those of files that it includes. Variables and secrets are added by name. */
export function mergeSettings(included: Settings, own: Settings): Settings {
  const environment = [...(included.environment ?? []), ...(own.environment ?? [])];
  const secrets = new Map([...(included.secrets ?? []), ...(own.secrets ?? [])]);
  const added = { ...(environment.length > 0 && { environment }), ...(secrets.size > 0 && { secrets }) };
  return { ...included, ...own, ...added };
}

/** A text of a map. The default, too, is said by the file that has the map. */
function placedText(node: Node, key: string, standard: string): PlacedText {
  const written = child(node, key);
  return { text: textOf(written) ?? standard, at: (written ?? node).at };
}

function placedTexts(node: Node): PlacedText[] {
  return itemsOf(node).flatMap((item) => {
    const text = textOf(item);
    return text === undefined ? [] : [{ text, at: item.at }];
  });
}

function readChannel(node: Node): ChannelDefinition[] {
  const name = textOf(child(node, "name"));
  if (name === undefined) return [];
  const args: Args = { ...toMap(child(node, "options")), ...toMap(child(node, "args")) };
  const type = child(node, "type");
  const entries = [child(node, "options"), child(node, "args")].flatMap((one) =>
    one?.kind === "map" ? one.entries : [],
  );
  const argsAt = Object.fromEntries(entries.map(({ key, keyAt }) => [key, keyAt]));
  return [{ name, at: node.at, type: textOf(type) ?? "simple", ...(type && { typeAt: type.at }), args, argsAt }];
}

/** Reads the modules of the `code` section from a checked node, by name. */
export function readModules(node: Node | undefined): [string, CodeBlock][] {
  const entries = node?.kind === "map" ? node.entries : [];
  return entries.flatMap(({ key, value }) => {
    const block = codeBlock(value);
    return block === undefined ? [] : [[key, block] as [string, CodeBlock]];
  });
}
