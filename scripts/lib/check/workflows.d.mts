export function workflowFaults(name: string, text: string): Promise<string[]>;
