import { emitKeypressEvents } from "node:readline";

/** A key, or a character that was typed or pasted. */
export interface KeyPress {
  /** Its name, such as `up`, `return`, `escape` or `a`. */
  readonly name: string;
  /** The characters that it types; empty for a key that types none. */
  readonly text: string;
  readonly ctrl: boolean;
}

/** Calls `press` for each key on a terminal, until the returned function is called. */
export function listenToKeys(press: (key: KeyPress) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const onKey = (text: string | undefined, key: { name?: string; ctrl?: boolean; meta?: boolean }): void => {
    const { name = text ?? "", ctrl = false, meta = false } = key;
    press({ name, text: ctrl || meta || text === undefined || isControl(text) ? "" : text, ctrl });
  };
  const restore = (): void => void stdin.setRawMode(false);
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  // Even after an error: a shell whose terminal is raw does not echo what is typed.
  process.on("exit", restore);
  stdin.on("keypress", onKey).resume();
  return () => {
    stdin.off("keypress", onKey).pause();
    process.off("exit", restore);
    restore();
  };
}

function isControl(text: string): boolean {
  const code = text.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}
