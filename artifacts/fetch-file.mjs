import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Without an answer, or without another byte of it, for this long a server counts as silent. */
const silenceMs = 30_000;

/**
 * Fetches `url` into the new file `target`. A download may take as long as it needs while bytes keep coming: only silence ends it.
 * Plain JavaScript, since the set-up uses it before anything is installed.
 *
 * Throws an `Error` that says what the server answered, or that it fell silent.
 *
 * @param {string} url
 * @param {string} target
 * @param {{ silence?: number }} [options] `silence`: milliseconds
 */
export async function fetchFile(url, target, { silence = silenceMs } = {}) {
  const abort = new AbortController();
  const giveUp = () => abort.abort(new Error(`sent nothing for ${silence / 1000} s`));
  const timer = setTimeout(giveUp, silence);
  const watch = new Transform({
    transform(chunk, _encoding, done) {
      timer.refresh();
      done(null, chunk);
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
