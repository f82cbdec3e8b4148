export function whyNoBase(): string | undefined;
export function buildBase(): Promise<string>;
