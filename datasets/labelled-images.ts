/** Labelled images in memory. */
export interface LabelledImages {
  /** Byte per channel, example after example: row by row (height, width, channels). */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  /** height, width, channels */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly classNames: readonly string[];
}

/** The examples at `indices`, in that order. */
export function pick(data: LabelledImages, indices: readonly number[]): LabelledImages {
  const [height, width, channels] = data.shape;
  const size = height * width * channels;
  const images = new Uint8Array(indices.length * size);
  for (const [row, index] of indices.entries())
    images.set(data.images.subarray(index * size, (index + 1) * size), row * size);
  return { ...data, images, labels: Int32Array.from(indices, (index) => data.labels[index]!) };
}

/** `'0'`, `'1'`, ... */
export function numberedClasses(classes: number): string[] {
  return Array.from({ length: classes }, (_, index) => String(index));
}
