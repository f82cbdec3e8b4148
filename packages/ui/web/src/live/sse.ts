/** An event of a stream. */
export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/**
 * Splits the text of a stream into its events. Not `EventSource`: it hides the status of an answer, so a
 * session that ended looks like a server that is away, and a new instance cannot resume where an old one
 * stopped.
 */
export function eventParser(take: (event: StreamEvent) => void): (text: string) => void {
  let rest = "";
  let fields = { id: "", event: "message", data: [] as string[] };
  const line = (text: string): void => {
    if (text === "") {
      if (fields.data.length > 0) take({ ...fields, data: fields.data.join("\n") });
      fields = { id: fields.id, event: "message", data: [] };
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return;
    const name = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "data") fields.data.push(value);
    else if (name === "event") fields.event = value;
    else if (name === "id") fields.id = value;
  };
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const each of lines) line(each);
  };
}
