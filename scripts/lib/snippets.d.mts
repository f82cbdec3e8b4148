/** A file that a page shows. */
export interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly name: string;
  readonly code: string;
  /** Whether it is JavaScript or TypeScript. */
  readonly program: boolean;
  /** The output that the page states. */
  readonly prints: string | undefined;
}

export function pages(): string[];
export function snippets(page: string): Snippet[];
