import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import { didYouMean } from './did-you-mean.ts';
import { findOddCharacter } from './odd-characters.ts';
import { Problems, type SourceText, type Span } from './problems.ts';
import { lineAround } from './source-lines.ts';
import type { Path, Value } from './values.ts';
import { reportSyntax } from './yaml-errors.ts';

/** A parsed pipeline file: its value, and where each part of it stands. */
export interface YamlSource extends SourceText {
  readonly document: Document;
  /** Whole numbers are bigint, so that `1` and `1.0` differ. */
  readonly value: Value;
}

/** Larger files, and maps and lists nested deeper than this, are no pipelines. */
const largestFile = 1_000_000;
const deepestNesting = 100;
/** Uses of anchors, each counted as often as the ones around it repeat it. */
const mostAliases = 10_000;

/** Parses YAML 1.2 with anchors and merge keys. Throws `PipelineError` for anything that is not exactly one sound document. */
export function parseYaml(text: string, file: string): YamlSource {
  if (text.length > largestFile) refuseLargeFile(text, file);
  const problems = new Problems({ file, text });
  const document = parseDocument(text, { intAsBigInt: true, merge: true, prettyErrors: false, strict: true });
  reportSyntax(document.errors, text, problems);
  for (const { pos } of document.warnings) {
    const span = { start: pos[0], end: pos[1] };
    problems.error(
      'yaml',
      span,
      'a tag that means nothing here',
      'remove it; a text that begins with `!` needs quotes',
    );
  }
  problems.throwIfErrors();
  if (document.contents === null) {
    problems.error(
      'empty-file',
      { start: 0, end: 0 },
      'the file is empty',
      'a pipeline begins with `version: 1`, `name:` and `stages:`; see pipelines/quickstart.yaml',
    );
  }
  reportNodes(document, problems);
  problems.throwIfErrors();
  try {
    return { file, text, document, value: document.toJS({ maxAliasCount: mostAliases }) as Value };
  } catch {
    problems.error(
      'alias',
      spanOfLastAlias(document),
      'aliases repeat too much',
      'use fewer aliases within one another',
    );
    problems.throwIfErrors();
    throw new TypeError('Unreachable: an error was reported.');
  }
}

function refuseLargeFile(text: string, file: string): never {
  const problems = new Problems({ file, text: text.slice(0, 1000) });
  const size = (text.length / 1e6).toFixed(1);
  const cure = 'is it a pipeline? Values in bulk belong into a data set, many cells into `strategy.matrix`';
  problems.error(
    'too-large',
    { start: 0, end: 1 },
    `the file has ${size} million characters, more than 1`,
    cure,
  );
  problems.throwIfErrors();
  throw new TypeError('Unreachable: an error was reported.');
}

/** What parses, but would only fail later, or silently mean something else: odd keys, aliases of nothing, merges of what is no map. */
function reportNodes(document: Document, problems: Problems): void {
  const anchors: string[] = [];
  visit(document, {
    Node(_, node, path) {
      if (!isAlias(node) && node.anchor !== undefined) anchors.push(node.anchor);
      if (path.length < 2 * deepestNesting) return undefined;
      const message = `lists and maps are nested more than ${deepestNesting} deep here`;
      problems.error('too-large', spanOfNode(node), message, 'a pipeline needs a few levels');
      return visit.BREAK;
    },
    Alias(_, node, path) {
      const span = spanOfNode(node);
      if (
        path.some((ancestor) => isNode(ancestor) && !isAlias(ancestor) && ancestor.anchor === node.source)
      ) {
        problems.error(
          'alias',
          span,
          `the alias \`*${node.source}\` stands inside of what it repeats`,
          'write the value out',
        );
        return;
      }
      if (anchors.includes(node.source)) return;
      const meant = didYouMean(node.source, anchors);
      problems.error(
        'alias',
        span,
        `the alias \`*${node.source}\` has no anchor before it`,
        meant === undefined
          ? `put \`&${node.source}\` before the value that it repeats`
          : `did you mean \`*${meant}\`?`,
      );
    },
    Pair(_, pair) {
      reportKey(pair as Pair<Node, Node | null>, document, problems);
    },
  });
}

function reportKey({ key, value }: Pair<Node, Node | null>, document: Document, problems: Problems): void {
  if (isCollection(key)) {
    const cure = 'an expression is written `"${{ ... }}"`, with a dollar sign';
    problems.error('yaml', spanOfNode(key), 'a key must be a plain word', cure);
    return;
  }
  if (!isScalar(key)) return;
  const odd = findOddCharacter(String(key.value));
  if (odd !== undefined) {
    const span = spanOfNode(key);
    const at = span.start + odd.at;
    problems.error('odd-character', { start: at, end: at + 1 }, `${odd.name} stands in this key`, odd.cure);
  }
  if (key.source !== '<<' || value === null) return;
  const merged = isSeq(value) ? (value.items as Node[]) : [value];
  for (const source of merged) {
    const target = isAlias(source) ? source.resolve(document) : source;
    if (target === undefined || isMap(target)) continue;
    const cure = 'write `<<: *name`, where `&name` stands before a map; a key of this name cannot be';
    problems.error('alias', spanOfNode(source), '`<<` merges maps into this one, but this is no map', cure);
  }
}

function spanOfLastAlias(document: Document): Span {
  let last: Span = { start: 0, end: 1 };
  visit(document, {
    Alias(_, node) {
      last = spanOfNode(node);
    },
  });
  return last;
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
