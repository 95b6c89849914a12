import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll } from 'vitest';
import { openStore } from '../../../artifacts/store/open-store.ts';
import type { Raw, StoreKindUnderTest } from './harness.ts';

/** Stores in folders; call it at the top of a file. */
export function folderStores(): StoreKindUnderTest {
  const all = mkdtempSync(join(tmpdir(), 'epochal-test-'));
  afterAll(() => rmSync(all, { recursive: true, force: true }));
  return {
    name: 'a folder',
    environment: {},
    async place() {
      const folder = mkdtempSync(join(all, 'store-'));
      return { uri: folder, raw: rawFolder(folder), open: (options) => openStore(folder, options) };
    },
  };
}

function rawFolder(folder: string): Raw {
  return {
    async read(name) {
      try {
        return readFileSync(join(folder, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(name, bytes) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    },
    async remove(name) {
      rmSync(join(folder, name));
    },
    async list() {
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        .sort();
    },
  };
}
