export function testFiles(): string[];
export function leftWhole(): string[];
