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

/** The first odd character of a text: one that looks like another, or one that no text may hold. */
export function findOddCharacter(text: string): OddCharacter | undefined {
  const at = text.search(oddPattern);
  return at < 0 ? undefined : oddAt(text, at);
}

function oddAt(text: string, at: number): OddCharacter {
  const character = text.charAt(at);
  const code = `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  const known = lookalikes[character];
  if (known === undefined) {
    const name = /\p{Cs}/u.test(character) ? 'half a character' : 'a control character';
    return { at, name: `${name} (${code})`, cure: 'remove it' };
  }
  const { name, plain } = known;
  const again = [...text.slice(at + 1)].some((other) => plain !== '' && lookalikes[other]?.plain === plain);
  const cure = plain === '' ? 'remove it' : plain === ' ' ? 'type a plain space' : `type \`${plain}\``;
  return { at, name: `${name} (${code})`, cure: again ? `${cure}, and for the others like it` : cure };
}

/** What no text may hold: control characters, those that turn the direction of writing, and halves of characters. */
const unprintable = '(?![\\t\\r\\n])\\p{Cc}|\\r(?!\\n)|[\\u202a-\\u202e\\u2066-\\u2069]|\\p{Cs}';
const unprintablePattern = new RegExp(unprintable, 'u');
const oddPattern = new RegExp(`[${Object.keys(lookalikes).join('')}]|${unprintable}`, 'u');
const typographic = '\u201c\u201d\u201e\u2018\u2019';
const accidentPattern = new RegExp(
  `^[\\u00a0\\u2007\\u2009\\u202f\\u3000]|[\\u00a0\\u2007\\u2009\\u202f\\u3000]$|[\\u200b\\u2060\\ufeff\\u00ad]|^[${typographic}](?=[^${typographic}]*[${typographic}]$)`,
  'u',
);

/** The first character of a text that no text may hold. */
export function findUnprintable(text: string): OddCharacter | undefined {
  const at = text.search(unprintablePattern);
  return at < 0 ? undefined : oddAt(text, at);
}

/**
 * The character that shows that a value without quotes was not meant as it stands: an invisible one in it, an unusual space at its ends,
 * typographic quotes around it. Prose may hold dashes and quotes.
 */
export function findAccident(value: string): OddCharacter | undefined {
  const at = value.search(accidentPattern);
  return at < 0 ? undefined : oddAt(value, at);
}

/** The text with what was meant in the place of each odd character. */
export function plainText(text: string): string {
  let plain = text;
  for (const [character, { plain: meant }] of Object.entries(lookalikes))
    plain = plain.replaceAll(character, meant);
  return plain;
}
