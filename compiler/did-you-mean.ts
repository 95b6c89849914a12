import { closest, distance } from 'fastest-levenshtein';

/**
 * The candidate that was probably meant by a misspelled word: the same but for case and punctuation, one that continues it, or one that
 * differs in at most a third of its letters (in short words, in one letter or in their order).
 */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const same = candidates.find((candidate) => plain(candidate) === plain(word));
  if (same !== undefined) return same;
  const nearest = closest(word, candidates);
  const length = Math.max(word.length, nearest.length);
  const letters = (text: string) => [...plain(text)].sort().join('');
  const allowed =
    length > 4 ? Math.max(2, Math.floor(length / 3)) : letters(word) === letters(nearest) ? 2 : 1;
  if (distance(word, nearest) <= allowed) return nearest;
  const longer = candidates.filter(
    (candidate) => word.length >= 3 && plain(candidate).startsWith(plain(word)),
  );
  return longer.length === 1 ? longer[0] : undefined;
}

/** "did you mean `x`?", else all there is to choose from, so that a user never has to look it up. */
export function choose(word: string, candidates: readonly string[], noun: string): string {
  const meant = didYouMean(word, candidates);
  if (meant !== undefined) return `did you mean \`${meant}\`?`;
  return candidates.length === 0 ? `there are no ${noun}` : `${noun}: ${quoteAll(candidates)}`;
}

/** Words of a list that are shown. */
const shown = 40;

/** `a`, `b`, `c` */
export function quoteAll(words: readonly string[]): string {
  const quoted = words.slice(0, shown).map((word) => `\`${word}\``);
  return [...quoted, ...(words.length > shown ? [`and ${words.length - shown} more`] : [])].join(', ');
}
