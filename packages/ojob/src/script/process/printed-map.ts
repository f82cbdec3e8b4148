/** More than this is no result for args but output, in characters. */
const LONGEST = 1 << 20;

/**
 * Finds the JSON map that a shell script prints: as in OpenAF, the output from its first `{` to its last `}`,
 * unless a `[` comes first. All other output is shown as it comes, for a script may run for hours.
 */
export class PrintedMap {
  #state: "before" | "within" | "after" | "none" = "before";
  /** Output that is not shown if it is the map. */
  #held = "";
  #start = 0;
  #depth = 0;
  #value: Record<string, unknown> | undefined;

  /** Takes a piece of the output that ends with a line, and returns what to show now. */
  take(text: string): string {
    return text.split(/(?<=\n)/).reduce((shown, line) => shown + this.#line(line), "");
  }

  /** The map, if the output had one, and the rest of what to show. */
  end(): { readonly map?: Record<string, unknown>; readonly shown: string } {
    const map = this.#value ?? (this.#state === "within" ? this.#parse() : undefined);
    return map === undefined ? { shown: this.#held } : { map, shown: "" };
  }

  #line(line: string): string {
    if (this.#state === "none") return line;
    if (this.#state === "after") return line.includes("}") ? this.#giveUp(line) : line;
    if (this.#state === "before") {
      const start = line.search(/[{[]/);
      if (start < 0) return line;
      // A text in braces that is surely no JSON must not hold back the output of hours.
      if (!/^\{\s*(?:["}]|$)/.test(line.slice(start))) return this.#giveUp(line);
      this.#state = "within";
      this.#start = start;
    }
    this.#held += line;
    if (this.#held.length > LONGEST) return this.#giveUp("");
    this.#depth += line.split("{").length - line.split("}").length;
    // Parse only where braces are balanced: each line would make the time grow with the square of the output.
    this.#value = this.#depth <= 0 && line.includes("}") ? this.#parse() : undefined;
    if (this.#value !== undefined) this.#state = "after";
    return "";
  }

  #giveUp(line: string): string {
    const shown = this.#held + line;
    this.#state = "none";
    this.#held = "";
    this.#value = undefined;
    return shown;
  }

  #parse(): Record<string, unknown> | undefined {
    try {
      const text = this.#held.slice(this.#start, this.#held.lastIndexOf("}") + 1);
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  }
}
