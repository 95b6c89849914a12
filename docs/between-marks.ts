/**
 * A page with what stands between two marks put anew, the marks kept. Throws `Error` if one of them is missing.
 *
 * @param inside With the line breaks that are to stand about it.
 */
export function putBetween(page: string, begin: string, end: string, inside: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`The page has no place between ${begin} and ${end}.`);
  return `${page.slice(0, from + begin.length)}${inside}${page.slice(to)}`;
}
