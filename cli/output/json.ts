/** Containers around large lists: what lies deeper is small enough to be one string. */
const openedLevels = 3;

/**
 * `JSON.stringify(value, undefined, 2)` in pieces, of which none is large: a plan of 100,000 cells is longer than a string may be. `value` is plain
 * data; what JSON does not have is left out as there.
 */
export function* jsonPieces(value: unknown, level = 0): Generator<string> {
  const margin = `\n${'  '.repeat(level)}`;
  if (level === openedLevels || !isContainer(value)) {
    yield (JSON.stringify(value, undefined, 2) ?? 'null').replaceAll('\n', margin);
    return;
  }
  const isList = Array.isArray(value);
  let separator = isList ? '[' : '{';
  for (const key of isList ? value.keys() : Object.keys(value)) {
    const item = value[key as never] as unknown;
    if (!isList && (item === undefined || typeof item === 'function' || typeof item === 'symbol')) continue;
    yield `${separator}${margin}  ${isList ? '' : `${JSON.stringify(key)}: `}`;
    yield* jsonPieces(item, level + 1);
    separator = ',';
  }
  const empty = separator !== ',';
  yield `${empty ? separator : margin}${isList ? ']' : '}'}`;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !('toJSON' in value);
}
