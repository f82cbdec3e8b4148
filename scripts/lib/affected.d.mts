export function testsReaching(files: readonly string[]): string[];
