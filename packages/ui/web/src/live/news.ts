/** The names of jobs that changed; `all` if they are not known. */
export type News = readonly string[] | "all";

const listeners = new Set<(news: News) => void>();

/** Stands for a queue in the news: its pages are not read again at each run of its name. */
export const newsOfQueue = (name: string): string => `queue ${name}`;

/** Calls `listener` with each change. Returns the function that stops it. */
export function onNews(listener: (news: News) => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Notifies all listeners. */
export function publishNews(news: News): void {
  for (const listener of [...listeners]) listener(news);
}
