import type { Events } from "../contract/types.js";

/** An event of a stream as a browser gets it. */
export type Received = {
  readonly [Name in keyof Events]: { readonly event: Name; readonly id: string; readonly data: Events[Name] };
}[keyof Events];

/** Reads the events of a stream, until it ends. */
export async function* eventsOf(response: Response): AsyncGenerator<Received, void, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    for (let at = rest.indexOf("\n\n"); at >= 0; at = rest.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        rest
          .slice(0, at)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      rest = rest.slice(at + 2);
      if (fields["event"] === undefined) continue;
      yield { event: fields["event"], id: fields["id"], data: JSON.parse(fields["data"] ?? "") } as Received;
    }
  }
}

/** Collects the events of a stream in the background. */
export function collected(response: Response): Received[] {
  const all: Received[] = [];
  const collect = async (): Promise<void> => {
    for await (const event of eventsOf(response)) all.push(event);
  };
  // Some tests cut the stream off.
  collect().catch(() => {});
  return all;
}
