import { isScalar, parseDocument, visit, type YAMLError } from 'yaml';
import { findOddCharacter, plainText } from '../diagnostics/odd-characters.ts';
import { lineAround } from '../diagnostics/source-lines.ts';
import type { Span, TextDiagnostics } from '../diagnostics/text-diagnostics.ts';
import { validateLanguage } from '../schema/schemas.ts';
import { looksComputed } from './template.ts';

export const yamlOptions = {
  intAsBigInt: true,
  merge: true,
  logLevel: 'error', // What is wrong is told here, and not by the parser on its own.
  prettyErrors: false,
  strict: true,
  uniqueKeys: false, // Compares each key with each other one; they are counted where the document is inspected.
} as const;

/** A change that could make the file sound, with what to say if it does. */
interface Repair {
  readonly span: Span;
  readonly message: string;
  readonly cure: string;
  /** The file after the change. */
  readonly text: string;
}

/** Each try of a repair parses the file again: of a large one the first few, of a larger one none. */
const mostTried = 60;
const mostParsed = 1_500_000;

/**
 * Reports the first syntax error of a file; those after it are mostly its echo. What is said to be wrong, and its cure, has been tried: the file
 * parses with it. Where nothing helps, it is said in words what the parser met.
 */
export function reportSyntax(errors: readonly YAMLError[], text: string, diagnostics: TextDiagnostics): void {
  const [error] = errors;
  if (error === undefined) return;
  const [start] = error.pos;
  if (error.code === 'RESOURCE_EXHAUSTION') {
    diagnostics.error(
      'too-large',
      { start, end: start + 1 },
      'lists and maps are nested too deeply here',
      'a pipeline needs a few levels',
    );
    return;
  }
  if (error.code === 'MULTIPLE_DOCS') {
    const cure = 'put each pipeline into a file of its own';
    diagnostics.error('yaml', { start, end: start + 3 }, 'a second YAML document begins here', cure);
    return;
  }
  const { start: lineStart, end: lineEnd } = lineAround(text, start);
  if (error.code === 'TAB_AS_INDENT' || /^\s*\t/.test(text.slice(lineStart, lineEnd))) {
    const tab = text.indexOf('\t', lineStart);
    const cure = 'indent with spaces; YAML forbids tabs';
    diagnostics.error('yaml', { start: tab, end: tab + 1 }, 'a tab as indentation', cure);
    return;
  }
  const repair = findRepair(error, text);
  if (repair !== undefined) {
    const odd = /U\+[0-9A-F]{4}/.test(repair.message);
    diagnostics.error(odd ? 'odd-character' : 'yaml', repair.span, repair.message, repair.cure);
    return;
  }
  const { message, cure } = inWords(error);
  diagnostics.error('yaml', { start, end: error.pos[1] }, message, cure);
}

/**
 * The first repair with which the file parses to a pipeline, else the one with the fewest flaws; where something else is wrong below, the first
 * with which it parses up to there.
 */
function findRepair(error: YAMLError, text: string): Repair | undefined {
  const { end } = lineAround(text, error.pos[0]);
  let left = Math.min(mostTried, mostParsed / text.length);
  let best: Repair | undefined;
  let least = Infinity;
  for (const repair of repairs(error, text)) {
    if (--left < 0) break;
    if (repair.text === text) continue;
    const document = parseDocument(repair.text, yamlOptions);
    const [first] = document.errors;
    const flaws = first === undefined ? flawsOf(document) : Infinity;
    if (flaws === 0) return repair;
    if (flaws < least) best = repair;
    least = Math.min(least, flaws);
    if (first !== undefined && first.pos[0] > end + repair.text.length - text.length) best ??= repair;
  }
  return best;
}

/** How many things in it no pipeline has: keys without a value or that stand twice, and what the language does not know. */
function flawsOf(document: ReturnType<typeof parseDocument>): number {
  let wrong = 0;
  visit(document, {
    Map(_, { items }) {
      wrong += items.length - new Set(items.map(({ key }) => String(key))).size;
    },
    Pair(_, { value }) {
      if (value === null || (isScalar(value) && value.source === '')) wrong++;
    },
  });
  try {
    const json = JSON.stringify(document.toJS(), (_, value) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
    return (
      wrong + validateLanguage(JSON.parse(json)).errors.filter(({ data }) => !looksComputed(data)).length
    );
  } catch {
    return Infinity; // An alias of nothing or of itself.
  }
}

/** What people get wrong most, likely things first. */
function* repairs(error: YAMLError, text: string): Generator<Repair> {
  // Of a line in the wrong place the parser tells the end of the one before it.
  const blank = error.code === 'BAD_INDENT' ? /^\s*\n/.exec(text.slice(error.pos[0])) : null;
  const line = lineAround(text, error.pos[0] + (blank?.[0].length ?? 0));
  const before = line.start === 0 ? line : lineAround(text, line.start - 1);
  const after = line.end === text.length ? line : lineAround(text, line.end + 1);
  const lines = line.start === before.start ? [line] : [line, before];
  for (const place of [...lines, ...oddIndentation(text)]) yield* oddCharacters(text, place);
  if (error.code === 'MISSING_CHAR') yield* openQuote(text);
  for (const place of lines) yield* colon(text, place);
  for (const place of lines) yield* beginning(text, place);
  for (const place of lines) yield* quotes(text, place);
  yield* openBracket(text);
  yield* extraBracket(text, error.pos[0]);
  if (error.code !== 'MISSING_CHAR') yield* openQuote(text);
  const deeper = indentOf(text.slice(after.start, after.end)) > indentOf(text.slice(line.start, line.end));
  for (const place of new Set(deeper ? [after, ...lines] : [...lines, after]))
    yield* indentation(text, place);
  yield* outdented(text, line);
}

/** The first lines that begin with a space that is none to YAML, which only shows where their neighbours stand. */
function oddIndentation(text: string): Span[] {
  const found = text.matchAll(/^ *[\u00a0\u2007\u2009\u202f\u3000\u200b\ufeff].*$/gm);
  return Array.from(found)
    .slice(0, 5)
    .map(({ index, 0: line }) => ({ start: index, end: index + line.length }));
}

function* oddCharacters(text: string, { start, end }: Span): Generator<Repair> {
  const odd = findOddCharacter(text.slice(start, end));
  if (odd === undefined) return;
  const span = { start: start + odd.at, end: start + odd.at + 1 };
  const plain = text.slice(0, start) + plainText(text.slice(start, end)) + text.slice(end);
  yield { span, message: `${odd.name} stands here`, cure: odd.cure, text: plain };
}

/** A value that only needs quotes: one with an expression, with `: `, or with a character at its start that YAML keeps for itself. */
function* quotes(text: string, { start, end }: Span): Generator<Repair> {
  const line = text.slice(start, end);
  const replace = (from: number, to: number, by: string) =>
    text.slice(0, start + from) + by + text.slice(start + to);
  const { head, body } = valueOn(line);
  // Deeper lines below a sound value are what is wrong, and not the value.
  const [below = ''] = text.slice(end + 1).split('\n', 1);
  if (indentOf(below) > indentOf(line) && !body.endsWith(',') && isSound(`x: ${body}`)) return;
  const expressions = [...line.matchAll(/(?<!["'$])\$\{\{.*?\}\}/g)];
  const why = '(needed inside { } and [ ], and around ` : ` and ` #`)';
  for (const found of expressions) {
    const all = expressions
      .toReversed()
      .reduce(
        (result, { index, 0: piece }) =>
          result.slice(0, index) + quoted(piece) + result.slice(index + piece.length),
        line,
      );
    const span = { start: start + found.index, end: start + found.index + found[0].length };
    const message = 'this expression breaks the YAML around it';
    const cure = `put it in quotes: ${quoted(found[0])} ${why}`;
    yield {
      span,
      message,
      cure,
      text: replace(found.index, found.index + found[0].length, quoted(found[0])),
    };
    const each = expressions.map(([expression]) => quoted(expression)).join(', ');
    if (expressions.length > 1)
      yield {
        span,
        message,
        cure: `put each expression in quotes: ${each}`,
        text: replace(0, line.length, all),
      };
  }
  if (/^["'[{&*]/.test(body) && !/^(["']).*\1[^"',\]}]+$/.test(body)) return;
  if (body === '' || isSound(`x: ${body}`)) return; // Quotes would change nothing.
  const open = body.indexOf('${{');
  const message =
    open < 0 ? 'this value cannot stand without quotes' : 'this expression breaks the YAML around it';
  const from = start + head.length + Math.max(0, open);
  yield {
    span: { start: from, end: start + head.length + body.length },
    message,
    cure: `put ${open > 0 ? 'the whole value' : 'it'} in quotes: ${quoted(body)}`,
    text: replace(head.length, head.length + body.length, quoted(body)),
  };
}

/** What stands on a line, after dashes and a key. */
function valueOn(line: string): { readonly head: string; readonly body: string } {
  const [, head = line, body = ''] =
    /^(\s*(?:- +)*(?:[^\s:"'][^:"']*:[ ]+)?(?:- +)*)(\S.*?)\s*$/.exec(line) ?? [];
  return { head, body };
}

function isSound(text: string): boolean {
  const { errors, warnings } = parseDocument(text, yamlOptions);
  return errors.length + warnings.length === 0;
}

/** A value that begins with a character too much, as in `@0.5`, or with a bracket too little, as in `a: 1 }`. */
function* beginning(text: string, { start, end }: Span): Generator<Repair> {
  const { head, body } = valueOn(text.slice(start, end));
  const from = start + head.length;
  const until = from + body.length;
  if (/^[@%`!]([\d.-]|[{[])/.test(body))
    yield {
      span: { start: from, end: from + 1 },
      message: `a value cannot begin with \`${body.charAt(0) === '`' ? "'" : body.charAt(0)}\``,
      cure: 'remove it',
      text: text.slice(0, from) + text.slice(from + 1),
    };
  const dash = /^\s*(- +)[\w-]+:(\s|$)/d.exec(text.slice(start, end))?.indices?.[1];
  if (dash !== undefined)
    yield {
      span: { start: start + dash[0], end: start + dash[1] },
      message: 'this dash begins a list between keys of a map',
      cure: 'remove it',
      text: text.slice(0, start + dash[0]) + text.slice(start + dash[1]),
    };
  const closed = /[}\]]$/.exec(body)?.[0];
  const open = Object.keys(closers).find((bracket) => closers[bracket] === closed);
  if (open !== undefined && !/^[[{"']/.test(body) && isSound(`x: ${open}${body}`))
    yield {
      span: { start: from, end: until },
      message: `a \`${open}\` is missing before this`,
      cure: `begin it with \`${open}\``,
      text: `${text.slice(0, from)}${open} ${text.slice(from)}`,
    };
}

/** `epochs 3`, `epochs:3`, `epochs = 3`, `with` before deeper lines */
function* colon(text: string, { start, end }: Span): Generator<Repair> {
  const found = /^(\s*(?:- +)?)([A-Za-z_][\w-]*)(\s*:|\s*=\s*|\s+|$)(\S.*|)$/.exec(text.slice(start, end));
  if (found === null) return;
  const [, head, key, between, value] = found as unknown as [string, string, string, string, string];
  if (/^\s*:(\s|$)/.test(between + value)) return;
  const at = start + head.length;
  yield {
    span: { start: at, end: at + key.length + between.length },
    message: between.includes(':')
      ? `after \`${key}:\` a space is missing`
      : `after \`${key}\` a colon is missing`,
    cure:
      value.length > 100
        ? `write \`${key}:\` and a space before the value`
        : `write \`${`${key}: ${value}`.trimEnd()}\``,
    text: `${text.slice(0, at)}${`${key}: ${value}`.trimEnd()}${text.slice(end)}`,
  };
}

const closers: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

/** A bracket that is never closed: at the end of its line, else before the line in which the next key begins. */
function* openBracket(text: string): Generator<Repair> {
  for (const at of openBrackets(text).toReversed()) {
    const open = text.charAt(at);
    const close = closers[open]!;
    const { end } = lineAround(text, at);
    const repair = {
      span: { start: at, end: at + 1 },
      message: `this \`${open}\` is not closed`,
      cure: `end it with \`${close}\``,
    };
    yield { ...repair, text: `${text.slice(0, end)} ${close}${text.slice(end)}` };
    const expressions = /(?<!["'$])\$\{\{.*?\}\}/g;
    const line = text.slice(at, end);
    if (expressions.test(line))
      yield {
        ...repair,
        cure: `end it with \`${close}\`, and put expressions inside of it in quotes`,
        text: `${text.slice(0, at)}${line.replace(expressions, quoted)} ${close}${text.slice(end)}`,
      };
    const other = text.slice(at, end).search(/[\]}]/);
    if (other > 0) yield { ...repair, text: text.slice(0, at + other) + close + text.slice(at + other) };
  }
}

/** Offsets of the brackets that have no partner on their line, outside of quotes, comments and expressions; at most a few. */
function openBrackets(text: string): number[] {
  const found: number[] = [];
  for (const line of text.matchAll(/^.*$/gm)) {
    const plain = line[0]
      .replace(/\$\{\{.*?\}\}/g, (expression) => '_'.repeat(expression.length))
      .replace(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, (quote) => '_'.repeat(quote.length))
      .replace(/(^|\s)#.*$/, '');
    const stack: number[] = [];
    for (const bracket of plain.matchAll(/[[\]{}]/g)) {
      if (bracket[0] in closers) stack.push(bracket.index);
      else if (stack.length > 0 && closers[plain.charAt(stack.at(-1)!)] === bracket[0]) stack.pop();
    }
    found.push(...stack.map((at) => line.index + at));
  }
  return found.slice(-10);
}

function* extraBracket(text: string, at: number): Generator<Repair> {
  const character = text.charAt(at);
  if (character !== '}' && character !== ']' && character !== ',') return;
  yield {
    span: { start: at, end: at + 1 },
    message: character === ',' ? 'nothing stands before this comma' : `this \`${character}\` closes nothing`,
    cure: 'remove it',
    text: text.slice(0, at) + text.slice(at + 1),
  };
}

/** A quote without its partner on the line: closed before a bracket or comma that follows, or at the end of the line. */
function* openQuote(text: string): Generator<Repair> {
  let tried = 0;
  for (const line of text.matchAll(/^.*$/gm)) {
    const plain = line[0].replace(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, (quote) => '_'.repeat(quote.length));
    const open = /(^|[\s:[{,-])(["'])/.exec(plain);
    if (open === null || /^\s*#/.test(plain)) continue;
    if (++tried > 10) return;
    const at = line.index + open.index + open[1]!.length;
    const end = line.index + line[0].trimEnd().length;
    const quote = open[2]!;
    const repair = {
      span: { start: at, end },
      message: 'the text that begins here in quotes is not closed',
      cure: `end it with \`${quote}\``,
    };
    const inside = text.slice(at, end).search(/\s*[\]}]+\s*$/);
    if (inside > 0) yield { ...repair, text: text.slice(0, at + inside) + quote + text.slice(at + inside) };
    yield { ...repair, text: text.slice(0, end) + quote + text.slice(end) };
  }
}

/** A line that does not begin where its neighbours do. */
function* indentation(text: string, { start, end }: Span): Generator<Repair> {
  const line = text.slice(start, end);
  const own = indentOf(line);
  const above = text.slice(0, start).split('\n').slice(0, -1).filter(isContent);
  const below = text
    .slice(end + 1)
    .split('\n')
    .filter(isContent)
    .slice(0, 1);
  const near = [...below, ...above.toReversed()]
    .map(indentOf)
    .sort((a, b) => Math.abs(a - own) - Math.abs(b - own));
  for (const indent of new Set(near)) {
    if (indent === own) continue;
    yield {
      span: { start, end: start + Math.max(1, own) },
      message: `this line is indented by ${own} space${own === 1 ? '' : 's'}, which fits no line around it`,
      cure: `indent it by ${indent}`,
      text: text.slice(0, start) + ' '.repeat(indent) + line.trimStart() + text.slice(end),
    };
  }
}

/** A line above that stands further out than the lines below it, which only shows where they end. */
function* outdented(text: string, { start, end }: Span): Generator<Repair> {
  const wanted = indentOf(text.slice(start, end));
  for (let at = start, left = 100; at > 0 && left > 0; left--) {
    const line = lineAround(text, at - 1);
    at = line.start;
    const content = text.slice(line.start, line.end);
    const own = indentOf(content);
    if (!isContent(content) || own >= wanted) continue;
    yield {
      span: { start: line.start, end: line.start + Math.max(1, own) },
      message: `this line is indented by ${own} space${own === 1 ? '' : 's'}, which fits no line around it`,
      cure: `indent it by ${wanted}`,
      text: text.slice(0, line.start) + ' '.repeat(wanted) + content.trimStart() + text.slice(line.end),
    };
    if (own === 0) return;
  }
}

function isContent(line: string): boolean {
  return line.trim() !== '' && !line.trimStart().startsWith('#');
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** What the parser met, where no repair is known. */
function inWords({ code, message }: YAMLError): { message: string; cure: string } {
  switch (code) {
    case 'BAD_INDENT':
      return /Flow (map|sequence)/.test(message)
        ? { message: 'a bracket above is not closed', cure: 'close each `[` and `{`' }
        : {
            message: 'this line is not indented like its neighbours',
            cure: 'give keys of one map the same indentation',
          };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'a key and its value stand where a plain value belongs',
        cure: 'a value with `: ` in it needs quotes; a nested key needs a line of its own',
      };
    case 'MULTILINE_IMPLICIT_KEY':
    case 'KEY_OVER_1024_CHARS':
      return {
        message: 'a key without a colon, or a text over several lines',
        cure: 'write `key: value` on one line; a longer text needs quotes, or `>-` after the colon',
      };
    case 'BAD_SCALAR_START':
      return { message: 'a value cannot begin with this character', cure: 'put the value in quotes' };
    case 'MISSING_CHAR':
      return /quote/.test(message)
        ? { message: 'a text in quotes is not closed', cure: 'end it with the quote that it begins with' }
        : {
            message: 'a colon, comma or bracket is missing here',
            cure: 'write maps as `{ key: value, ... }` and lists as `[a, b]`',
          };
    case 'BAD_DQ_ESCAPE':
      return {
        message: 'in double quotes a backslash means something else',
        cure: 'use single quotes, or two backslashes',
      };
    case 'BAD_ALIAS':
      return {
        message: 'an anchor or alias without a name',
        cure: 'a text that begins with `&` or `*` needs quotes',
      };
    case 'MULTIPLE_ANCHORS':
      return { message: 'a value has two anchors', cure: 'keep one of them' };
    case 'TAG_RESOLVE_FAILED':
    case 'BAD_PROP_ORDER':
    case 'MULTIPLE_TAGS':
      return {
        message: 'a tag that means nothing here',
        cure: 'remove it; a text that begins with `!` needs quotes',
      };
    default:
      return {
        message: 'something is not expected here',
        cure: 'check indentation, colons, quotes and brackets on this line and the one before',
      };
  }
}

function quoted(value: string): string {
  return value.includes('"') ? `'${value.replaceAll("'", "''")}'` : `"${value}"`;
}
