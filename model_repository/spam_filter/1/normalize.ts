/** What rules look at: one case, one form of each letter, single spaces, and nothing that cannot be seen. */
export function normalize(text: string): string {
  return text
    .slice(0, 1000)
    .normalize('NFKC')
    .replace(/[\u00ad\u200b-\u200f\u2060\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}
