export function testFiles(): string[];
export function leftWhole(): string[];
export interface Times {
  readonly quick: Readonly<Record<string, number>>;
  readonly rest: Readonly<Record<string, number>>;
}
export function testTimes(): Times;
export function writeTestTimes(times: Partial<Times>): void;
export function shards(count: number): { readonly files: readonly string[]; readonly seconds: number }[];
export const ALONE: readonly string[];
