/** The names of jobs of which something changed; `all` if it is not known what. */
export type News = readonly string[] | "all";

const listeners = new Set<(news: News) => void>();

/** Calls `listener` with each news. Returns the function that ends that. */
export function onNews(listener: (news: News) => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Tells all listeners. */
export function tellNews(news: News): void {
  for (const listener of [...listeners]) listener(news);
}
