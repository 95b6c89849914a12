import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { didYouMean } from '../diagnostics/did-you-mean.ts';
import { findAccident, findOddCharacter, findUnprintable } from '../diagnostics/odd-characters.ts';
import { lineAround } from '../diagnostics/source-lines.ts';
import { type SourceText, type Span, TextDiagnostics } from '../diagnostics/text-diagnostics.ts';
import type { Path, Value } from '../values.ts';
import { reportSyntax, yamlOptions } from './yaml-errors.ts';

/** A parsed pipeline file: its value, and where each part of it stands. */
export interface YamlSource extends SourceText {
  readonly root: Node | undefined;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>;
  /** Whole numbers are bigint, so that `1` and `1.0` differ. */
  readonly value: Value;
}

/** Larger files, and maps and lists nested deeper than this, are no pipelines. */
const largestFile = 1_000_000;
const deepestNesting = 100;
/** Characters of a file after its aliases are put in. */
const largestExpanded = 10_000_000;

/** Parses YAML 1.2 with anchors and merge keys. Throws `PipelineError` for anything that is not exactly one sound document. */
export function parseYaml(text: string, file: string): YamlSource {
  if (text.length > largestFile) refuseLargeFile(text, file);
  const diagnostics = new TextDiagnostics({ file, text });
  const odd = findUnprintable(text);
  if (odd !== undefined)
    diagnostics.error(
      'odd-character',
      { start: odd.at, end: odd.at + 1 },
      `${odd.name} stands here`,
      odd.cure,
    );
  diagnostics.throwIfErrors();
  const document = parseOrRefuse(text, diagnostics);
  reportSyntax(document.errors, text, diagnostics);
  for (const { pos } of document.warnings) {
    const span = { start: pos[0], end: pos[1] };
    diagnostics.error(
      'yaml',
      span,
      'a tag that means nothing here',
      'remove it; a text that begins with `!` needs quotes',
    );
  }
  diagnostics.throwIfErrors();
  if (document.contents === null) {
    diagnostics.error(
      'empty-file',
      { start: 0, end: 0 },
      'the file is empty',
      'a pipeline begins with `version: 1`, `name:` and `stages:`; see pipelines/quickstart.yaml',
    );
  }
  const root = document.contents ?? undefined;
  const targets = inspect(root, text, diagnostics);
  diagnostics.throwIfErrors();
  return { file, text, root, targets, value: document.toJS({ maxAliasCount: -1 }) as Value };
}

/** The parser follows what is nested, or taken for nested, by calls within calls. */
function parseOrRefuse(text: string, diagnostics: TextDiagnostics): Document {
  try {
    return parseDocument(text, yamlOptions);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const cure = 'indent by spaces; a value with `: ` in it needs quotes';
    diagnostics.error(
      'too-large',
      { start: 0, end: 1 },
      'lists and maps are nested too deep in this file',
      cure,
    );
    throw diagnostics.throwIfErrors();
  }
}

function refuseLargeFile(text: string, file: string): never {
  const diagnostics = new TextDiagnostics({ file, text: text.slice(0, 1000) });
  const cure = 'is it a pipeline? Values in bulk belong into a data set, many cells into `strategy.matrix`';
  diagnostics.error(
    'too-large',
    { start: 0, end: 1 },
    `the file has ${text.length.toLocaleString('en-US')} characters, more than a million`,
    cure,
  );
  diagnostics.throwIfErrors();
  throw new TypeError('Unreachable: an error was reported.');
}

interface Measure {
  readonly depth: number;
  readonly size: number;
}

/**
 * Reports what parses, but would only fail later, or silently mean something else: keys that are no words or stand twice, aliases of
 * nothing, of themselves or of too much, merges of what is no map, characters that nobody meant. Returns what each alias stands for.
 */
function inspect(
  root: Node | undefined,
  text: string,
  diagnostics: TextDiagnostics,
): ReadonlyMap<Alias, Node> {
  const targets = new Map<Alias, Node>();
  const anchors = new Map<string, Node>();
  const measures = new Map<Node, Measure>();
  const leaf: Measure = { depth: 0, size: 1 };

  const walk = (node: Node, depth: number): Measure => {
    if (isAlias(node)) return walkAlias(node);
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    let measure = leaf;
    if (depth > deepestNesting) {
      const message = `lists and maps are nested more than ${deepestNesting} deep here`;
      diagnostics.error('too-large', spanOfNode(node), message, 'a pipeline needs a few levels');
    } else if (isScalar(node)) measure = walkScalar(node);
    else if (isMap(node)) measure = walkMap(node, depth);
    else if (isSeq(node)) measure = join((node.items as Node[]).map((item) => walk(item, depth + 1)));
    measures.set(node, measure);
    return measure;
  };

  const walkAlias = (node: Alias): Measure => {
    const target = anchors.get(node.source);
    const measure = target && measures.get(target);
    const fail = (message: string, cure: string) => {
      diagnostics.error('alias', spanOfNode(node), message, cure);
      return leaf;
    };
    if (target === undefined) {
      const meant = didYouMean(node.source, [...anchors.keys()]);
      return fail(
        `the alias \`*${node.source}\` has no anchor before it`,
        meant === undefined
          ? `put \`&${node.source}\` before the value that it repeats`
          : `did you mean \`*${meant}\`?`,
      );
    }
    if (measure === undefined)
      return fail(`the alias \`*${node.source}\` stands inside of what it repeats`, 'write the value out');
    targets.set(node, target);
    if (measure.depth <= deepestNesting && measure.size <= largestExpanded) return measure;
    return fail(`the alias \`*${node.source}\` repeats too much`, 'use fewer aliases within one another');
  };

  const walkScalar = (node: Scalar): Measure => {
    const { start, end } = spanOfNode(node);
    const plain = node.type === 'PLAIN';
    if (typeof node.value === 'string') {
      const odd = findUnprintable(node.value) ?? (plain ? findAccident(node.value) : undefined);
      const span = odd && plain ? { start: start + odd.at, end: start + odd.at + 1 } : { start, end };
      if (odd !== undefined) diagnostics.error('odd-character', span, `${odd.name} stands here`, odd.cure);
    }
    return { depth: 0, size: 1 + end - start };
  };

  const walkMap = (node: YAMLMap, depth: number): Measure => {
    const seen = new Set<string>();
    return join(
      (node.items as Pair<Node, Node | null>[]).map(({ key, value }) => {
        const measure = value === null ? leaf : walk(value, depth + 1);
        if (isMergeKey(key)) reportMerge(key, value, targets, diagnostics);
        else reportKey(key, text, seen, diagnostics);
        return isScalar(key)
          ? { depth: measure.depth, size: measure.size + String(key.value).length }
          : measure;
      }),
    );
  };

  const measure = root === undefined ? leaf : walk(root, 0);
  if (measure.size > largestExpanded && !diagnostics.hasErrors) {
    const [last] = [...targets.keys()].slice(-1);
    diagnostics.error('alias', spanOfNode(last!), 'aliases repeat too much', 'use fewer aliases');
  }
  return targets;
}

function join(parts: readonly Measure[]): Measure {
  return {
    depth: 1 + parts.reduce((depth, part) => Math.max(depth, part.depth), 0),
    size: parts.reduce((size, part) => size + part.size, 2),
  };
}

function isMergeKey(key: Node | null): boolean {
  return isScalar(key) && key.source === '<<' && key.type === 'PLAIN';
}

function reportMerge(
  key: Node,
  value: Node | null,
  targets: YamlSource['targets'],
  diagnostics: TextDiagnostics,
): void {
  const resolve = (node: Node | null) => (isAlias(node) ? targets.get(node) : node);
  const merged = resolve(value);
  const wrong = (isSeq(merged) ? (merged.items as Node[]) : [value]).find((part) => {
    const target = resolve(part);
    return target !== undefined && !isMap(target);
  });
  if (wrong === undefined) return;
  const cure = 'write `<<: *name`, where `&name` stands before a map; a key of this name cannot be';
  const span = spanOfNode(wrong === null || isEmpty(wrong) ? key : wrong);
  diagnostics.error('alias', span, '`<<` merges maps into this one, but this is no map', cure);
}

function reportKey(key: Node | null, text: string, seen: Set<string>, diagnostics: TextDiagnostics): void {
  if (!isScalar(key)) {
    const cure = 'an expression is written `"${{ ... }}"`, with a dollar sign';
    diagnostics.error('yaml', spanOfNode(key!), 'a key must be a plain word', cure);
    return;
  }
  const span = spanOfNode(key);
  const name = String(key.value ?? '');
  const odd = findOddCharacter(name);
  if (odd !== undefined) {
    const at = key.type === 'PLAIN' ? { start: span.start + odd.at, end: span.start + odd.at + 1 } : span;
    diagnostics.error('odd-character', at, `${odd.name} stands in this key`, odd.cure);
  } else if (isEmpty(key)) {
    const colon = text.indexOf(':', span.start);
    const at = { start: colon, end: colon + 1 };
    diagnostics.error('yaml', at, 'before this colon a key is missing', 'write the key, or remove the line');
  } else if (seen.has(name)) {
    diagnostics.error('duplicate-key', span, `the key \`${name}\` stands here twice`, 'keep one of them');
  }
  seen.add(name);
}

/** Where the value at `path` stands; the nearest part of the file around it if it came out of an expression. */
export function spanOfValue(source: YamlSource, path: Path): Span {
  const found = find(source, path);
  if (found.value !== undefined && !isEmpty(found.value)) return firstLine(source, spanOfNode(found.value));
  if (found.key !== undefined) return spanOfNode(found.key);
  // An empty item of a list is told at its dash.
  const before = source.text
    .slice(0, found.value === undefined ? 0 : spanOfNode(found.value).start)
    .trimEnd().length;
  return { start: Math.max(0, before - 1), end: Math.max(1, before) };
}

/** True where a key stands in the file and nothing after it. */
export function isBlankAt(source: YamlSource, path: Path): boolean {
  const { key, value } = find(source, path);
  return key !== undefined && (value === undefined || isEmpty(value));
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
  let found: Found = { value: source.root };
  for (const part of path) {
    const next = child(source, found.value, part);
    if (next === undefined) break;
    found = next;
  }
  return found;
}

function child(source: YamlSource, node: Node | undefined, part: string | number): Found | undefined {
  const target = isAlias(node) ? source.targets.get(node) : node;
  if (isSeq(target)) {
    const item = target.items[Number(part)];
    return item === undefined || isPair(item) ? undefined : { value: item as Node };
  }
  if (!isMap(target)) return undefined;
  const pairs = pairsOf(target);
  const pair = pairs.get(String(part));
  if (pair !== undefined) return { key: pair.key, value: pair.value ?? undefined };
  const merged = pairs.get('<<')?.value;
  const list = isAlias(merged) ? source.targets.get(merged) : merged;
  for (const map of isSeq(list) ? (list.items as Node[]) : [list]) {
    const inherited = child(source, map ?? undefined, part);
    if (inherited !== undefined) return inherited;
  }
  return undefined;
}

type Pairs = ReadonlyMap<string, Pair<Scalar, Node | null>>;
const indexed = new WeakMap<YAMLMap, Pairs>();

/** The pairs of a map by key, gathered once: each error looks up its place. */
function pairsOf(map: YAMLMap): Pairs {
  const known = indexed.get(map);
  if (known !== undefined) return known;
  const pairs = new Map(
    (map.items as Pair<Scalar, Node | null>[]).map((pair) => [nameOf(pair.key), pair] as const),
  );
  indexed.set(map, pairs);
  return pairs;
}

/** The key of a merge is a symbol to the parser. */
function nameOf(key: Scalar): string {
  return typeof key.value === 'symbol' ? '<<' : String(key.value ?? '');
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
