import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { didYouMean } from './did-you-mean.ts';
import { Problems, type SourceText, type Span } from './problems.ts';
import type { Path, Value } from './values.ts';

/** A parsed pipeline file: its value, and where each part of it stands. */
export interface YamlSource extends SourceText {
  readonly document: Document;
  /** Whole numbers are bigint, so that `1` and `1.0` differ. */
  readonly value: Value;
}

/** Parses YAML 1.2 with anchors and merge keys. Throws `PipelineError` for anything that is not exactly one sound document. */
export function parseYaml(text: string, file: string): YamlSource {
  const problems = new Problems({ file, text });
  const document = parseDocument(text, { intAsBigInt: true, merge: true, prettyErrors: false, strict: true });
  reportSyntax(document.errors, text, problems);
  for (const { pos, message } of document.warnings) {
    problems.error({ start: pos[0], end: pos[1] }, lowerFirst(message), 'remove the tag');
  }
  problems.throwIfErrors();
  if (document.contents === null) {
    problems.error(
      { start: 0, end: 0 },
      'the file is empty',
      'a pipeline begins with `version: 1`, `name:` and `stages:`; see pipelines/quickstart.yaml',
    );
  }
  reportKeysAndAliases(document, problems);
  problems.throwIfErrors();
  try {
    return { file, text, document, value: document.toJS({ maxAliasCount: 10_000 }) as Value };
  } catch (error) {
    problems.error({ start: 0, end: 0 }, lowerFirst((error as Error).message), 'use fewer nested aliases');
    problems.throwIfErrors();
    throw error;
  }
}

/** Words for what people get wrong most. After the first other error the rest is only its echo. */
function reportSyntax(errors: readonly YAMLError[], text: string, problems: Problems): void {
  let echo = false;
  for (const { code, message, pos } of errors) {
    const span = { start: pos[0], end: pos[1] };
    const line = lineAround(text, span.start);
    const expression = text.slice(line.start, line.end).indexOf('${{');
    if (code === 'DUPLICATE_KEY') {
      const key = /^["']?([^"':\s]+)/.exec(text.slice(span.start))?.[1] ?? '';
      const end = span.start + Math.max(1, key.length);
      problems.error({ start: span.start, end }, `the key \`${key}\` stands here twice`, 'keep one of them');
    } else if (echo) {
      // Only the echo of the error before.
    } else if (code === 'TAB_AS_INDENT' || /^\s*\t/.test(text.slice(line.start, line.end))) {
      const tab = text.indexOf('\t', line.start);
      problems.error(
        { start: tab, end: tab + 1 },
        'a tab as indentation',
        'indent with spaces; YAML forbids tabs',
      );
      echo = true;
    } else if (code === 'MULTIPLE_DOCS') {
      problems.error(
        { start: span.start, end: span.start + 3 },
        'a second YAML document begins here',
        'put each pipeline into a file of its own',
      );
    } else if (expression >= 0) {
      const start = line.start + expression;
      const close = text.indexOf('}}', start);
      const end = close < 0 || close > line.end ? line.end : close + 2;
      problems.error(
        { start, end },
        'this expression breaks the YAML around it',
        `put it in quotes: ${quoted(text.slice(start, end))} (needed inside { } and [ ], and around \` : \` and \` #\`)`,
      );
      echo = true;
    } else {
      problems.error(span, `not valid YAML: ${lowerFirst(message)}`, syntaxCure(code));
      echo = true;
    }
  }
}

function syntaxCure(code: YAMLError['code']): string | undefined {
  switch (code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a value with `: ` in it needs quotes; a nested key needs a line of its own';
    case 'BAD_INDENT':
      return 'check the indentation and that each [ and { is closed';
    case 'BAD_SCALAR_START':
      return 'put the value in quotes';
    case 'MISSING_CHAR':
      return 'close the quote or bracket';
    default:
      return 'check indentation, colons and brackets on this line and the one before';
  }
}

/** Keys that are no text (what `{{ x }}` without `$` becomes), and aliases of nothing, which would only fail later without a position. */
function reportKeysAndAliases(document: Document, problems: Problems): void {
  const anchors: string[] = [];
  visit(document, {
    Node(_, node) {
      if (!isAlias(node) && node.anchor !== undefined) anchors.push(node.anchor);
    },
    Alias(_, node) {
      if (anchors.includes(node.source)) return;
      const meant = didYouMean(node.source, anchors);
      problems.error(
        spanOfNode(node),
        `the alias \`*${node.source}\` has no anchor before it`,
        meant === undefined
          ? `put \`&${node.source}\` before the value that it repeats`
          : `did you mean \`*${meant}\`?`,
      );
    },
    Pair(_, pair) {
      if (isCollection(pair.key)) {
        problems.error(
          spanOfNode(pair.key),
          'a key must be a plain word',
          'an expression is written `"${{ ... }}"`, with a dollar sign',
        );
      }
    },
  });
}

/** Where the value at `path` stands; the nearest part of the file around it if it came out of an expression. */
export function spanOfValue(source: YamlSource, path: Path): Span {
  const found = find(source, path);
  if (found.value !== undefined && !isEmpty(found.value)) return firstLine(source, spanOfNode(found.value));
  return found.key === undefined ? { start: 0, end: 1 } : spanOfNode(found.key);
}

/** Where the key of the value at `path` stands; the value itself in a list. */
export function spanOfKey(source: YamlSource, path: Path): Span {
  const { key } = find(source, path);
  return key === undefined ? spanOfValue(source, path) : spanOfNode(key);
}

/**
 * Where `value.slice(offset, offset + length)` of the text at `path` stands. Exact unless the YAML text is folded or has escapes in
 * between; then the whole scalar.
 */
export function spanInText(source: YamlSource, path: Path, offset: number, length: number): Span {
  const { value } = find(source, path);
  if (!isScalar(value) || typeof value.value !== 'string') return spanOfValue(source, path);
  const whole = spanOfNode(value);
  const raw = source.text.slice(whole.start, whole.end);
  const shift = raw.indexOf(value.value);
  if (shift >= 0) return { start: whole.start + shift + offset, end: whole.start + shift + offset + length };
  const piece = value.value.slice(offset, offset + length);
  const at = piece === '' ? -1 : raw.indexOf(piece);
  return at < 0 ? firstLine(source, whole) : { start: whole.start + at, end: whole.start + at + length };
}

interface Found {
  readonly key?: Node | undefined;
  readonly value?: Node | undefined;
}

function find(source: YamlSource, path: Path): Found {
  let found: Found = { value: source.document.contents ?? undefined };
  for (const part of path) {
    const next = child(source.document, found.value, part);
    if (next === undefined) break;
    found = next;
  }
  return found;
}

function child(document: Document, node: Node | undefined, part: string | number): Found | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (isSeq(target)) {
    const item = target.items[Number(part)];
    return item === undefined || isPair(item) ? undefined : { value: item as Node };
  }
  if (!isMap(target)) return undefined;
  const pairs = target.items as Pair<Node, Node | null>[];
  const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === String(part));
  if (pair !== undefined) return { key: pair.key, value: pair.value ?? undefined };
  for (const { key, value } of pairs) {
    if (!isScalar(key) || key.source !== '<<' || value === null) continue;
    const merged = isSeq(value) ? (value.items as Node[]) : [value];
    for (const source of merged) {
      const inherited = child(document, source, part);
      if (inherited !== undefined) return inherited;
    }
  }
  return undefined;
}

function isEmpty(node: Node): boolean {
  return node.range != null && node.range[0] === node.range[1];
}

function spanOfNode(node: Node): Span {
  return { start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 0 };
}

function firstLine(source: SourceText, span: Span): Span {
  return { start: span.start, end: Math.min(span.end, lineAround(source.text, span.start).end) };
}

function lineAround(text: string, offset: number): Span {
  const end = text.indexOf('\n', offset);
  return { start: text.lastIndexOf('\n', offset - 1) + 1, end: end < 0 ? text.length : end };
}

function quoted(expression: string): string {
  return expression.includes('"') ? `'${expression.replaceAll("'", "''")}'` : `"${expression}"`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
