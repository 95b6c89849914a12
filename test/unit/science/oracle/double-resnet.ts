import {
  activated,
  applyDense,
  convolve,
  type Forward,
  type Maps,
  momentsOf,
  normalizedValue,
} from './double-layers.ts';
import type { Tape, Value } from './double-tape.ts';

/** ResNet of basic blocks with shortcuts of option A (He et al. 2016). */
export function resnet(forward: Forward): Value[][] {
  const { tape, spec, images, take, classes } = forward;
  const activate = (maps: Maps[]) =>
    maps.map((image) => ({ ...image, at: activated(tape, image.at, spec.activation!) }));
  const normalizedConvolution = (maps: readonly Maps[], filters: number, stride: number) => {
    const kernel = take(9 * maps[0]!.channels * filters);
    return batchNormalized(
      forward,
      maps.map((image) =>
        convolve(tape, image, kernel, undefined, { size: 3, stride, padding: 'same', filters }),
      ),
    );
  };
  let maps = activate(normalizedConvolution(images, spec.width!, 1));
  for (const stage of [0, 1, 2])
    for (let block = 0; block < spec.blocks!; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const filters = spec.width! * 2 ** stage;
      const branch = normalizedConvolution(
        activate(normalizedConvolution(maps, filters, stride)),
        filters,
        1,
      );
      maps = activate(branch.map((image, i) => withShortcut(tape, image, maps[i]!, stride)));
    }
  const means = maps.map(({ at, channels }) =>
    Array.from({ length: channels }, (_, channel) => {
      const own = at.filter((_, i) => i % channels === channel);
      return tape.sum(own, 1 / own.length);
    }),
  );
  const kernel = take(maps[0]!.channels * classes);
  const bias = take(classes);
  return means.map((row) => applyDense(tape, row, kernel, bias));
}

/** The branch plus every `stride`-th row and column of its input, as far as that has channels. */
function withShortcut(tape: Tape, branch: Maps, input: Maps, stride: number): Maps {
  const { width, channels } = branch;
  const at = branch.at.map((value, i) => {
    const channel = i % channels;
    if (channel >= input.channels) return value;
    const place = Math.floor(i / channels);
    const [row, column] = [Math.floor(place / width) * stride, (place % width) * stride];
    return tape.sum([value, input.at[(row * input.width + column) * input.channels + channel]!]);
  });
  return { ...branch, at };
}

function batchNormalized({ tape, take, statistics, seen }: Forward, maps: readonly Maps[]): Maps[] {
  const { channels } = maps[0]!;
  const scale = take(channels);
  const bias = take(channels);
  const offset = seen.length;
  const moments = Array.from({ length: channels }, (_, channel) => {
    if (statistics !== undefined) {
      const [mean, variance] = [statistics[offset + channel]!, statistics[offset + channels + channel]!];
      return { mean: tape.leaf(mean), variance: tape.leaf(variance) };
    }
    return momentsOf(
      tape,
      maps.flatMap(({ at }) => at.filter((_, i) => i % channels === channel)),
    );
  });
  seen.push(...moments.map(({ mean }) => tape.values[mean]!));
  seen.push(...moments.map(({ variance }) => tape.values[variance]!));
  return maps.map((image) => ({
    ...image,
    at: image.at.map((value, i) => {
      const channel = i % channels;
      const own = { ...moments[channel]!, scale: scale[channel]!, bias: bias[channel]! };
      return normalizedValue(tape, value, own);
    }),
  }));
}
