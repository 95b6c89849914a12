import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Without an answer, or without another byte of it, for this long a server counts as silent. */
const silenceMs = 30_000;
/** Several times as much as anything that is fetched has. Whether it is the right file, its digest tells afterwards: a server may not fill the disk before. */
const mostBytes = 2 ** 30;

/**
 * Fetches `url` into the new file `target`. A download may take as long as it needs while bytes keep coming: only silence ends it.
 * Plain JavaScript, since the set-up uses it before anything is installed.
 *
 * Throws an `Error` that says what the server answered, that it fell silent, or that it sent more than may be.
 *
 * @param {string} url
 * @param {string} target
 * @param {{ silence?: number, most?: number }} [options] `silence`: milliseconds; `most`: bytes
 */
export async function fetchFile(url, target, { silence = silenceMs, most = mostBytes } = {}) {
  let bytes = 0;
  const abort = new AbortController();
  const giveUp = () => abort.abort(new Error(`sent nothing for ${silence / 1000} s`));
  const timer = setTimeout(giveUp, silence);
  const watch = new Transform({
    transform(chunk, _encoding, done) {
      timer.refresh();
      bytes += chunk.length;
      if (bytes > most) done(new Error(`sent more than ${most} bytes`));
      else done(null, chunk);
    },
  });
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || response.body === null)
      throw new Error(`answered ${response.status} ${response.statusText}`);
    const body = /** @type {import('node:stream/web').ReadableStream} */ (response.body);
    await pipeline(Readable.fromWeb(body), watch, createWriteStream(target, { flush: true }));
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}
