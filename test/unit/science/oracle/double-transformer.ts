import {
  activated,
  applyDense,
  convolve,
  type Forward,
  momentsOf,
  normalizedValue,
} from './double-layers.ts';
import type { Tape, Value } from './double-tape.ts';

/** Pre-norm vision transformer with the mean over its patches. */
export function transformer(forward: Forward): Value[][] {
  const { tape, spec, images, take, classes } = forward;
  const [width, heads, patch] = [spec.width!, spec.heads!, spec.patch!];
  const kernel = take(patch * patch * images[0]!.channels * width);
  const bias = take(width);
  const options = { size: patch, stride: patch, padding: 'valid', filters: width } as const;
  /** examples x tokens x width */
  let rows = images.map((image) => inRows(convolve(tape, image, kernel, bias, options).at, width));
  const places = inRows(take(rows[0]!.length * width), width);
  const plus = (a: Value[][], b: readonly Value[][]) =>
    a.map((row, i) => row.map((value, j) => tape.sum([value, b[i]![j]!])));
  rows = rows.map((tokens) => plus(tokens, places));
  const normalize = () => {
    const scale = take(width);
    const shift = take(width);
    return (row: Value[]) => {
      const moments = momentsOf(tape, row);
      return row.map((value, i) =>
        normalizedValue(tape, value, { ...moments, scale: scale[i]!, bias: shift[i]! }),
      );
    };
  };
  const layer = (inputs: number, outputs: number) => {
    const weights = take(inputs * outputs);
    const shift = take(outputs);
    return (row: Value[]) => applyDense(tape, row, weights, shift);
  };
  for (let block = 0; block < spec.blocks!; block++) {
    const first = normalize();
    const [query, key, value, mix] = [0, 1, 2, 3].map(() => layer(width, width));
    rows = rows.map((tokens) => {
      const calm = tokens.map(first);
      const [q, k, v] = [query!, key!, value!].map((part) => calm.map(part));
      return plus(tokens, attention(tape, q!, k!, v!, heads).map(mix!));
    });
    const second = normalize();
    const [up, down] = [layer(width, spec.feedForward!), layer(spec.feedForward!, width)];
    rows = rows.map((tokens) =>
      plus(
        tokens,
        tokens.map((token) => down(activated(tape, up(second(token)), spec.activation!))),
      ),
    );
  }
  const last = normalize();
  const out = layer(width, classes);
  return rows.map((tokens) => {
    const calm = tokens.map(last);
    return out(
      calm[0]!.map((_, i) =>
        tape.sum(
          calm.map((token) => token[i]!),
          1 / calm.length,
        ),
      ),
    );
  });
}

/** For each token and head: the values weighted by the softmax of the scaled products of its query with the keys. */
function attention(tape: Tape, q: Value[][], k: Value[][], v: Value[][], heads: number): Value[][] {
  const size = q[0]!.length / heads;
  return q.map((query) =>
    Array.from({ length: heads }, (_, head) => {
      const part = (row: Value[]) => row.slice(head * size, (head + 1) * size);
      const weights = k.map((key) =>
        tape.unary(tape.sum([tape.dot(part(query), part(key))], size ** -0.5), Math.exp, Math.exp),
      );
      const inverse = tape.unary(
        tape.sum(weights),
        (x) => 1 / x,
        (x) => -(x ** -2),
      );
      return Array.from({ length: size }, (_, i) =>
        tape.product(
          tape.dot(
            weights,
            v.map((row) => part(row)[i]!),
          ),
          inverse,
        ),
      );
    }).flat(),
  );
}

function inRows(values: readonly Value[], width: number): Value[][] {
  return Array.from({ length: values.length / width }, (_, row) =>
    values.slice(row * width, (row + 1) * width),
  );
}
