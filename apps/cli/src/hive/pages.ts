import type { DashboardClient } from './dashboard.client.js';

/** How many pages of a list are fetched. */
const MOST_PAGES = 25;

/** Path with the parameters that have a value. */
export function withQuery(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const text = new URLSearchParams(given).toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The pages of a list, in its order. */
export async function allPages<Answer extends { next?: string }>(
  api: DashboardClient,
  path: string,
  query: Record<string, string | undefined>,
): Promise<Answer[]> {
  const pages: Answer[] = [];
  for (let before: string | undefined; pages.length < MOST_PAGES;) {
    const page = await api.get<Answer>(withQuery(path, { ...query, before }));
    pages.push(page);
    if (page.next === undefined) break;
    before = page.next;
  }
  return pages;
}
