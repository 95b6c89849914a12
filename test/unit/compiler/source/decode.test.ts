import { expect, it } from 'vitest';
import { decode, PipelineError } from '../../../../compiler/index.ts';

function failure(bytes: Uint8Array) {
  try {
    decode(bytes, 'x.yaml');
  } catch (error) {
    if (error instanceof PipelineError) return error.diagnostics[0]!;
    throw error;
  }
  throw new Error('Expected the bytes to be no text.');
}

it('drops a byte order mark, so that columns count from the first letter', () => {
  expect(decode(Buffer.from('\ufeffversion: 1\n'), 'x.yaml')).toBe('version: 1\n');
});

it('tells the place of the first byte that is no UTF-8, not that of a replacement character which is', () => {
  const bytes = Buffer.concat([Buffer.from('a: \ufffd\nb: caf'), Buffer.from([0xe9]), Buffer.from('\n')]);
  expect(failure(bytes)).toMatchObject({
    code: 'encoding',
    line: 2,
    column: 7,
    message: 'the byte 0xE9, number 14 of the file, is no UTF-8',
  });
});

it('knows UTF-16', () => {
  expect(failure(Buffer.from('\ufeffversion: 1\n', 'utf16le')).message).toBe('the file is UTF-16');
});
