import { distance } from 'fastest-levenshtein';

/**
 * The candidate that was probably meant by a misspelled word: the same but for case and punctuation, one that continues it, or one that
 * differs in at most a third of its letters (in short words, in one letter or in their order).
 */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) =>
    /^[a-z0-9]*$/.test(text) ? text : text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const meant = plain(word);
  const same = candidates.find((candidate) => plain(candidate) === meant);
  if (same !== undefined) return same;
  const letters = (text: string) => [...plain(text)].sort().join('');
  const lengthWith = (candidate: string) => Math.max(word.length, candidate.length);
  const nearest = nearestTo(word, candidates, (candidate) =>
    Math.max(2, Math.floor(lengthWith(candidate) / 3)),
  );
  if (nearest !== undefined) {
    const swapped = letters(word) === letters(nearest.candidate);
    if (lengthWith(nearest.candidate) > 4 || nearest.steps <= (swapped ? 2 : 1)) return nearest.candidate;
  }
  const longer = candidates.filter((candidate) => word.length >= 3 && plain(candidate).startsWith(meant));
  return longer.length === 1 ? longer[0] : undefined;
}

/** The first candidate with the fewest changes of a letter, and these; of candidates that need no more than `allowed`. */
function nearestTo(word: string, candidates: readonly string[], allowed: (candidate: string) => number) {
  let nearest: { readonly candidate: string; readonly steps: number } | undefined;
  for (const candidate of candidates) {
    const most = Math.min(allowed(candidate), (nearest?.steps ?? Infinity) - 1);
    // There are very many candidates, and most of them need no closer look.
    if (Math.abs(candidate.length - word.length) > most) continue;
    const steps = distance(word, candidate);
    if (steps <= most) nearest = { candidate, steps };
  }
  return nearest;
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
