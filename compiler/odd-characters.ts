/** Characters that look like others, or like nothing, with what to type in their place. */
const lookalikes: Readonly<Record<string, { readonly name: string; readonly plain: string }>> = {
  '\u00a0': { name: 'a no-break space', plain: ' ' },
  '\u2007': { name: 'a figure space', plain: ' ' },
  '\u2009': { name: 'a thin space', plain: ' ' },
  '\u202f': { name: 'a narrow no-break space', plain: ' ' },
  '\u3000': { name: 'an ideographic space', plain: ' ' },
  '\u200b': { name: 'a zero-width space', plain: '' },
  '\u200c': { name: 'a zero-width non-joiner', plain: '' },
  '\u200d': { name: 'a zero-width joiner', plain: '' },
  '\u2060': { name: 'a word joiner', plain: '' },
  '\ufeff': { name: 'a byte order mark', plain: '' },
  '\u00ad': { name: 'a soft hyphen', plain: '' },
  '\u201c': { name: 'a typographic quote', plain: '"' },
  '\u201d': { name: 'a typographic quote', plain: '"' },
  '\u201e': { name: 'a typographic quote', plain: '"' },
  '\u2018': { name: 'a typographic quote', plain: "'" },
  '\u2019': { name: 'a typographic quote', plain: "'" },
  '\u2010': { name: 'a typographic hyphen', plain: '-' },
  '\u2011': { name: 'a no-break hyphen', plain: '-' },
  '\u2013': { name: 'a dash', plain: '-' },
  '\u2014': { name: 'a dash', plain: '-' },
  '\u2212': { name: 'a typographic minus', plain: '-' },
  '\uff1a': { name: 'a full-width colon', plain: ':' },
  '\uff0c': { name: 'a full-width comma', plain: ',' },
};

/** A character that is not what it seems. */
export interface OddCharacter {
  /** Offset in the text. */
  readonly at: number;
  /** "a no-break space (U+00A0)" */
  readonly name: string;
  readonly cure: string;
}

/** The first odd character of a text: one that looks like another, or a control character. */
export function findOddCharacter(text: string): OddCharacter | undefined {
  const at = text.search(oddPattern);
  if (at < 0) return undefined;
  const character = text.charAt(at);
  const code = `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  const known = lookalikes[character];
  if (known === undefined) return { at, name: `a control character (${code})`, cure: 'remove it' };
  const cure =
    known.plain === '' ? 'remove it' : known.plain === ' ' ? 'type a plain space' : `type \`${known.plain}\``;
  return { at, name: `${known.name} (${code})`, cure };
}

const oddPattern = new RegExp(`[${Object.keys(lookalikes).join('')}]|(?![\\t\\r\\n])\\p{Cc}`, 'u');

/** The text with what was meant in the place of each odd character. */
export function plainText(text: string): string {
  let plain = text;
  for (const [character, { plain: meant }] of Object.entries(lookalikes))
    plain = plain.replaceAll(character, meant);
  return plain;
}
