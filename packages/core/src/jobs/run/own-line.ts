import { whenAborted } from "../../util/abort.js";

/** The most names of waiting runs in the note of a place in line. */
const NAMED = 20;

/** What the run whose turn ends leaves to the next one. */
export interface Handover {
  /** Whether the next run may have it. Otherwise it is given up. */
  readonly isKept: boolean;
  giveUp(): void;
}

/** The turn of a run. */
export interface Turn<H extends Handover> {
  /** What the run before left. */
  readonly given: H | undefined;
  /** Call it once. */
  end(left: H | undefined): void;
}

interface Waiting {
  readonly name: string;
  begin(): void;
}

/**
 * The runs of this process that wait for the same. They take turns, and only the one whose turn it is has a
 * place in the line in the store: with a place for each, a thousand waiting runs would write a thousand
 * tickets again and again.
 */
export class OwnLine<H extends Handover> {
  readonly #waiting: Set<Waiting> = new Set();
  #isTaken = false;
  #given: H | undefined;

  /** Whether no run has the turn or waits for it. */
  get isEmpty(): boolean {
    return !this.#isTaken;
  }

  /** The names of the first runs that wait. */
  get names(): string[] {
    return [...this.#waiting].slice(0, NAMED).map(({ name }) => name);
  }

  /** Resolves at the turn of the run, or to `undefined` once `over` fires: a signal of this call alone. */
  async enter(name: string, over: AbortSignal): Promise<Turn<H> | undefined> {
    if (this.#isTaken && !(await this.#waits(name, over))) return undefined;
    this.#isTaken = true;
    const given = this.#given;
    this.#given = undefined;
    return { given, end: (left) => this.#pass(left) };
  }

  /** Resolves to whether it is the turn of this run: not if `over` fires first. */
  #waits(name: string, over: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = { name, begin: (): void => settle(true) };
      const settle = (isTurn: boolean): void => {
        this.#waiting.delete(waiting);
        resolve(isTurn);
      };
      this.#waiting.add(waiting);
      whenAborted(over, () => settle(false));
      if (over.aborted) settle(false);
    });
  }

  #pass(left: H | undefined): void {
    const [first] = this.#waiting;
    const isKept = first !== undefined && left?.isKept === true;
    if (isKept) this.#given = left;
    else left?.giveUp();
    // The turn stays taken meanwhile: a newcomer must not pass.
    if (first !== undefined) first.begin();
    else this.#isTaken = false;
  }
}

/** The lines of this process. */
export class OwnLines<H extends Handover> {
  readonly #lines: Map<string, OwnLine<H>> = new Map();

  of(what: string): OwnLine<H> {
    // Permits and rates may have the names of tenants: keep no line that no run uses.
    for (const [name, line] of this.#lines) if (name !== what && line.isEmpty) this.#lines.delete(name);
    const known = this.#lines.get(what) ?? new OwnLine<H>();
    this.#lines.set(what, known);
    return known;
  }
}
