import { activated, applyDense, convolve, type Forward, type Maps, pooled } from './double-layers.ts';
import { resnet } from './double-resnet.ts';
import type { Value } from './double-tape.ts';
import { transformer } from './double-transformer.ts';

/** The logits of a batch of images, written once more by the definition of the network. */
export function logitsOf(forward: Forward): Value[][] {
  switch (forward.spec.name) {
    case 'resnet20':
      return resnet(forward);
    case 'transformer':
      return transformer(forward);
    case 'custom':
      return custom(forward);
    case 'linear':
      return stacked(forward, []);
    case 'mlp':
      return stacked(forward, forward.spec.hidden!);
    case 'lenet':
      return lenet(forward);
  }
}

/** Dense layers with the activation between them. */
function stacked(
  { tape, spec, take, images, classes }: Forward,
  hidden: readonly number[],
  from: readonly (readonly Value[])[] = images.map(({ at }) => at),
): Value[][] {
  let rows = from.map((row) => [...row]);
  for (const [index, width] of [...hidden, classes].entries()) {
    const kernel = take(rows[0]!.length * width);
    const bias = take(width);
    rows = rows.map((row) => applyDense(tape, row, kernel, bias));
    if (index < hidden.length) rows = rows.map((row) => activated(tape, row, spec.activation!));
  }
  return rows;
}

function lenet(forward: Forward): Value[][] {
  const { tape, spec, take, images } = forward;
  let maps = [...images];
  for (const filters of spec.filters!) {
    const kernel = take(25 * maps[0]!.channels * filters);
    const bias = take(filters);
    maps = maps.map((image) => {
      const filtered = convolve(tape, image, kernel, bias, { size: 5, stride: 1, padding: 'same', filters });
      const active = { ...filtered, at: activated(tape, filtered.at, spec.activation!) };
      return pooled(tape, active, 'max', { size: 2, stride: 2, padding: 'same' });
    });
  }
  return stacked(
    forward,
    spec.hidden!,
    maps.map(({ at }) => at),
  );
}

function custom(forward: Forward): Value[][] {
  const { tape, spec, images, take, classes } = forward;
  let maps: Maps[] = [...images];
  let rows: Value[][] | undefined;
  for (const layer of spec.layers!) {
    const vectors: Value[][] = rows ?? maps.map(({ at }) => [...at]);
    if (layer.kind === 'conv') {
      const { size, filters, stride = 1, padding = 'same', activation = spec.activation! } = layer;
      const kernel = take(size * size * maps[0]!.channels * filters);
      const bias = take(filters);
      maps = maps.map((image) => {
        const filtered = convolve(tape, image, kernel, bias, { size, stride, padding, filters });
        return { ...filtered, at: activated(tape, filtered.at, activation) };
      });
    } else if (layer.kind === 'pool') {
      const { size, stride = size, padding = 'same', pooling = 'max' } = layer;
      maps = maps.map((image) => pooled(tape, image, pooling, { size, stride, padding }));
    } else if (layer.kind === 'flatten') {
      rows = vectors;
    } else if (layer.kind === 'global-average') {
      rows = maps.map(({ at, channels }) =>
        Array.from({ length: channels }, (_, channel) =>
          tape.sum(
            at.filter((_, i) => i % channels === channel),
            channels / at.length,
          ),
        ),
      );
    } else {
      const kernel = take(vectors[0]!.length * layer.units);
      const bias = take(layer.units);
      rows = vectors.map((row) =>
        activated(tape, applyDense(tape, row, kernel, bias), layer.activation ?? spec.activation!),
      );
    }
  }
  const vectors = rows ?? maps.map(({ at }) => [...at]);
  const kernel = take(vectors[0]!.length * classes);
  const bias = take(classes);
  return vectors.map((row) => applyDense(tape, row, kernel, bias));
}
