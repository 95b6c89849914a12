import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

const blockLength = 65_536;

/**
 * Standard output or standard error. Everything that a command says goes through here, so that nothing is lost when the program ends
 * (`drain`), a full disk is an error, and a reader that has seen enough (`| head -1`) is none.
 */
class StandardStream {
  readonly #stream: Writable;
  readonly #long: Promise<void>[] = [];
  #failure: NodeJS.ErrnoException | undefined;
  #used = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  /** Whether anything was written to it. */
  get used(): boolean {
    return this.#used;
  }

  /** Whether what is written still arrives somewhere. */
  get open(): boolean {
    return this.#failure === undefined;
  }

  write(text: string): void {
    this.#used = true;
    if (this.open) this.#stream.write(text);
  }

  /** Writes a text of any length, only as fast as it is read, until the reader is gone. `drain` waits for its end. */
  writeAll(pieces: Iterable<string>): void {
    this.#used = true;
    this.#long.push(this.#writeBlocks(pieces));
  }

  /** Waits until all of it is written. Gives the error if something could not be, and `undefined` if the reader went away by itself. */
  async drain(): Promise<NodeJS.ErrnoException | undefined> {
    await Promise.all(this.#long.splice(0));
    await this.#written('');
    return ['EPIPE', 'ECONNRESET'].includes(this.#failure?.code ?? '') ? undefined : this.#failure;
  }

  async #writeBlocks(pieces: Iterable<string>): Promise<void> {
    let block = '';
    for (const piece of pieces) {
      block += piece;
      if (block.length < blockLength) continue;
      await this.#written(block);
      if (!this.open) return;
      block = '';
    }
    await this.#written(block);
  }

  /** The callback of a write is called in any case, with the error if there was one. */
  async #written(text: string): Promise<void> {
    const error = await new Promise<Error | null | undefined>((done) => {
      this.#stream.write(text, done);
    });
    if (error) this.#failure ??= error;
  }
}

/** Node's own stream for a file takes a short write, the last one before a disk is full, for a whole one. */
class FileStream extends Writable {
  readonly #fd: number;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}

const isFile = (fd: number): boolean => fstatSync(fd).isFile();

export const standardOutput = new StandardStream(isFile(1) ? new FileStream(1) : process.stdout);
export const standardError = new StandardStream(isFile(2) ? new FileStream(2) : process.stderr);
